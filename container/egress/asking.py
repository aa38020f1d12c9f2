"""What a client of the proxy says first, and what it is told. Pure."""

import re

from container.egress.names import BadHost, host_name, shown
from container.egress.passages import Verdict

LONGEST = 8 * 1024  #: bytes of a request's head
MOST_LINES = 64
PORT = 443
_CONNECT = re.compile(r"CONNECT ([\x21-\x7e]{1,600}) HTTP/1\.[01]")
_METHOD = re.compile(r"[A-Z]{1,20} [\x21-\x7e]{1,7000} HTTP/1\.[01]")
_HEADER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}:[\t \x21-\x7e\x80-\xff]*")
_STATUS = {
    400: "Bad Request",
    403: "Forbidden",
    405: "Method Not Allowed",
    408: "Request Timeout",
    429: "Too Many Requests",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
OPEN = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Refused(Exception):
    """No tunnel; the sentence is for whoever reads the agent's error."""

    def __init__(self, status: int, sentence: str, verdict: Verdict, host: str = "", port: int = 0) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.verdict = verdict
        self.host = host
        self.port = port


def target(head: bytes) -> str:
    """The host a tunnel is wanted to, in the form that is compared. Raises Refused."""
    first, *rest = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    if len(head) > LONGEST or len(rest) > MOST_LINES:
        raise Refused(400, "The request's head is too long.", Verdict.MALFORMED)
    line = first.decode("latin-1")
    found = _CONNECT.fullmatch(line)
    if found is None:
        if _METHOD.fullmatch(line):
            sentence = "Only https goes out from here: this proxy opens tunnels (CONNECT), nothing else."
            raise Refused(405, sentence, Verdict.NOT_HTTPS)
        raise Refused(400, "This is not a request to a proxy.", Verdict.MALFORMED)
    if not all(_HEADER.fullmatch(each) for each in rest):
        raise Refused(400, "A line of the request's head is not readable.", Verdict.MALFORMED)
    return _host(found[1])


def answer(refused: Refused) -> bytes:
    """The refusal as HTTP."""
    body = f"{refused.sentence}\n".encode()
    head = (
        f"HTTP/1.1 {refused.status} {_STATUS[refused.status]}\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


def _host(authority: str) -> str:
    name, colon, port = authority.rpartition(":")
    if not colon or not re.fullmatch(r"[0-9]{1,5}", port):
        raise Refused(400, "A tunnel is asked for as host:443.", Verdict.MALFORMED)
    try:
        host = host_name(name)
    except BadHost as error:
        raise Refused(403, str(error), Verdict.NOT_ALLOWED, name[:300], int(port)) from error
    if int(port) != PORT:
        sentence = f"Port {int(port)} of {shown(host)} is closed from here: only {PORT} (https) is open."
        raise Refused(403, sentence, Verdict.NOT_ALLOWED, host, int(port))
    return host
