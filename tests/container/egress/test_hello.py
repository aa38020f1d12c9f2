"""The first words of TLS: the host is found however they are cut, and nothing else ever comes out."""

import ssl
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from container.egress.hello import LARGEST, NotHello, server_name


def hello(host: str | None, *, oldest: bool = False) -> bytes:
    """What a real client says first."""
    context = ssl.create_default_context()
    context.check_hostname = False
    if oldest:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=host)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


REAL = hello("api.example.com")
MESSAGE = REAL[5:]


def records(message: bytes, cuts: list[int]) -> bytes:
    """The same message in several records."""
    edges = sorted({0, len(message), *(cut % len(message) for cut in cuts)})
    return b"".join(
        b"\x16\x03\x01" + (end - start).to_bytes(2, "big") + message[start:end]
        for start, end in pairwise(edges)
    )


@pytest.mark.parametrize("oldest", [True, False])
@pytest.mark.parametrize("host", ["api.example.com", "a" * 60 + ".example.org", "API.Example.com"])
def test_the_host_of_a_real_client_is_read(host: str, oldest: bool) -> None:
    assert server_name(hello(host, oldest=oldest)) == host


def test_a_client_that_names_no_host_is_refused() -> None:
    with pytest.raises(NotHello, match="no host"):
        server_name(hello(None))


@given(st.lists(st.integers(0, 2000), max_size=8))
def test_it_may_come_in_several_records(cuts: list[int]) -> None:
    assert server_name(records(MESSAGE, cuts)) == "api.example.com"


@given(st.integers(0, len(REAL) - 1))
def test_a_part_of_it_says_nothing_yet(size: int) -> None:
    assert server_name(REAL[:size]) is None


@given(st.binary(max_size=200))
def test_what_comes_after_it_does_not_matter(rest: bytes) -> None:
    assert server_name(REAL + rest) == "api.example.com"


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x80\x2e\x01\x03\x01",
        b"\x17\x03\x03\x00\x10" + b"x" * 16,
        b"\x16\x03\x01\x00\x00",
        b"\x16\x03\x01\xff\xff",
        b"\x16\x02",
        b"\x16\x03\x01\x00\x04\x02\x00\x00\x00",
        b"\x16\x03\x01\x00\x04\x01\x00\x00\x00",
    ],
)
def test_what_is_no_client_hello_is_refused_at_once(data: bytes) -> None:
    with pytest.raises(NotHello):
        server_name(data)


def test_an_endless_one_is_refused() -> None:
    endless = b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + bytes(16 * 1024 - 4)
    assert server_name(endless) is None
    with pytest.raises(NotHello, match="too long"):
        server_name((endless * 3)[: LARGEST + 1])


def built(*extensions: tuple[int, bytes], trailing: bytes = b"") -> bytes:
    """A ClientHello with these extensions."""
    packed = b"".join(
        kind.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data for kind, data in extensions
    )
    body = b"\x03\x03" + bytes(32) + b"\x00" + b"\x00\x02\x13\x01" + b"\x01\x00"
    body += len(packed).to_bytes(2, "big") + packed + trailing
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message


def names(*hosts: bytes, kind: int = 0) -> bytes:
    packed = b"".join(bytes([kind]) + len(host).to_bytes(2, "big") + host for host in hosts)
    return len(packed).to_bytes(2, "big") + packed


GOOD = names(b"api.example.com")


def test_a_built_one_is_read_like_a_real_one() -> None:
    assert server_name(built((0, GOOD))) == "api.example.com"


@pytest.mark.parametrize(
    "data",
    [
        built(),
        built((0, GOOD), (0, names(b"evil.example"))),
        built((0, names(b"api.example.com", b"evil.example"))),
        built((0, names())),
        built((0, names(b"api.example.com", kind=1))),
        built((0, names(b"caf\xe9.example"))),
        built((0, GOOD + b"x")),
        built((0, GOOD[:-1])),
        built((0, GOOD), trailing=b"\x00"),
    ],
)
def test_one_that_names_its_host_doubtfully_is_refused(data: bytes) -> None:
    with pytest.raises(NotHello):
        server_name(data)


def test_one_that_hides_its_host_is_refused() -> None:
    with pytest.raises(NotHello, match="hidden"):
        server_name(built((0, GOOD), (0xFE0D, b"\x00" * 40)))


@given(st.integers(0, len(REAL) - 1), st.integers(0, 255), st.integers(0, len(REAL)))
def test_a_damaged_one_never_breaks_us(at: int, byte: int, size: int) -> None:
    damaged = (REAL[:at] + bytes([byte]) + REAL[at + 1 :])[:size]
    try:
        name = server_name(damaged)
    except NotHello:
        return
    assert name is None or name.isascii()


@given(st.binary(max_size=400))
def test_noise_never_breaks_us(noise: bytes) -> None:
    try:
        name = server_name(b"\x16\x03\x01" + noise)
    except NotHello:
        return
    assert name is None or name.isascii()
