"""What a client of the proxy says first: a tunnel to a host's port 443, or a refusal in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from container.egress.asking import LONGEST, Refused, answer, target
from container.egress.passages import Verdict


def head(line: str, *more: str) -> bytes:
    return "\r\n".join([line, *more, "", ""]).encode("latin-1")


@pytest.mark.parametrize(
    "request_head",
    [
        head(
            "CONNECT api.example.com:443 HTTP/1.1",
            "Host: api.example.com:443",
            "Proxy-Connection: keep-alive",
        ),
        head("CONNECT API.EXAMPLE.COM.:443 HTTP/1.0"),
        head("CONNECT api.example.com:00443 HTTP/1.1", "User-Agent: node"),
    ],
)
def test_a_tunnel_is_asked_for_by_name(request_head: bytes) -> None:
    assert target(request_head) == "api.example.com"


@pytest.mark.parametrize(
    ("request_head", "status", "verdict"),
    [
        (head("GET http://api.example.com/ HTTP/1.1"), 405, Verdict.NOT_HTTPS),
        (head("POST / HTTP/1.1"), 405, Verdict.NOT_HTTPS),
        (head("OPTIONS * HTTP/1.1"), 405, Verdict.NOT_HTTPS),
        (head("CONNECT api.example.com:80 HTTP/1.1"), 403, Verdict.NOT_ALLOWED),
        (head("CONNECT api.example.com:22 HTTP/1.1"), 403, Verdict.NOT_ALLOWED),
        (head("CONNECT api.example.com:0 HTTP/1.1"), 403, Verdict.NOT_ALLOWED),
        (head("CONNECT api.example.com:65979 HTTP/1.1"), 403, Verdict.NOT_ALLOWED),
        (head("CONNECT 127.0.0.1:443 HTTP/1.1"), 403, Verdict.NOT_ALLOWED),
        (head("CONNECT [::1]:443 HTTP/1.1"), 403, Verdict.NOT_ALLOWED),
        (head("CONNECT localhost:443 HTTP/1.1"), 403, Verdict.NOT_ALLOWED),
        (head("CONNECT api.example.com HTTP/1.1"), 400, Verdict.MALFORMED),
        (head("CONNECT api.example.com:443:443 HTTP/1.1"), 403, Verdict.NOT_ALLOWED),
        (head("CONNECT api.example.com:+443 HTTP/1.1"), 400, Verdict.MALFORMED),
        (head("CONNECT  api.example.com:443 HTTP/1.1"), 400, Verdict.MALFORMED),
        (head("connect api.example.com:443 HTTP/1.1"), 400, Verdict.MALFORMED),
        (head("CONNECT api.example.com:443 HTTP/2.0"), 400, Verdict.MALFORMED),
        (head("CONNECT api.example.com:443 HTTP/1.1", "no header"), 400, Verdict.MALFORMED),
        (head("CONNECT api.example.com:443 HTTP/1.1", "A: b\rC: d"), 400, Verdict.MALFORMED),
        (head("CONNECT api.example.com:443 HTTP/1.1", "A: b\nC: d"), 400, Verdict.MALFORMED),
        (head("CONNECT api.example.com:443 HTTP/1.1", "A: b\x00"), 400, Verdict.MALFORMED),
        (head("CONNECT api.example.com:443 HTTP/1.1", " folded: x"), 400, Verdict.MALFORMED),
        (head("CONNECT api.example.com:443 HTTP/1.1", *["A: b"] * 65), 400, Verdict.MALFORMED),
        (head("CONNECT api.example.com:443 HTTP/1.1", "A: " + "b" * LONGEST), 400, Verdict.MALFORMED),
        (b"\r\n\r\n", 400, Verdict.MALFORMED),
        (b"\x16\x03\x01\r\n\r\n", 400, Verdict.MALFORMED),
    ],
)
def test_everything_else_is_refused(request_head: bytes, status: int, verdict: Verdict) -> None:
    with pytest.raises(Refused) as refused:
        target(request_head)
    assert (refused.value.status, refused.value.verdict) == (status, verdict)
    assert refused.value.sentence.endswith(".")


@given(st.binary(max_size=300))
def test_noise_is_refused_and_the_refusal_is_one_answer(noise: bytes) -> None:
    with pytest.raises(Refused) as refused:
        target(noise + b"\r\n\r\n")
    said = answer(refused.value)
    first, body = said.split(b"\r\n\r\n", 1)
    assert f"Content-Length: {len(body)}".encode() in first
    assert first.count(b"\r\n") == 3


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=60))
def test_an_odd_authority_never_breaks_us(authority: str) -> None:
    try:
        host = target(head(f"CONNECT {authority}:443 HTTP/1.1"))
    except Refused:
        return
    assert "." in host
