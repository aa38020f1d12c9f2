"""What the web bridge is told when it is made."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    host: str = "127.0.0.1"  #: where to listen; anything but loopback is the operator's decision
    port: int = 8765  #: 0: any free one
    names: tuple[str, ...] = ()  #: further "name:port" under which browsers may reach the page
    messages: int = 20  #: at most so many from one person ...
    period: float = 10.0  #: ... within so many seconds
    text_limit: int = 100_000  #: characters of one message
    file_limit: int = 20_000_000  #: bytes of one file
    files: int = 10  #: of one message
    uploads: int = 60  #: files from one person within `upload_period`
    upload_period: float = 600.0  #: seconds
    frame_limit: int = 1024 * 1024  #: characters of one WebSocket frame
    queue: int = 256  #: frames that may wait for one slow browser
    patience: float = 20.0  #: seconds a browser may take to read one frame
    sockets: int = 32  #: open pages per person
