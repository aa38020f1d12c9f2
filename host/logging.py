"""One structured line per event on stderr: for people on a terminal, JSON otherwise, secrets blotted out."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, TextIO

import structlog
from pydantic import SecretStr
from structlog.typing import Processor

BLOT = "***"

#: Names whose value is never shown; `exit_code` and `status_code` are no secrets.
_SECRET_NAME = re.compile(
    r"(^|_)(token|secret|password|passwd|cookie|authorization|code|link)$|^set-cookie$", re.IGNORECASE
)
_HARMLESS_NAMES = frozenset({"exit_code", "status_code"})

#: A Telegram token in a URL or alone, the password of a database URL, a token in a query string.
_SECRET_TEXTS = (
    (re.compile(r"\bbot\d+:[\w-]+"), "bot" + BLOT),
    (re.compile(r"\b\d{6,}:[\w-]{30,}"), BLOT),
    (re.compile(r"(://[^/:@\s]+:)[^/@\s]+@"), rf"\1{BLOT}@"),
    (re.compile(r"([?&#](?:token|code|key)=)[^&\s\"']+"), rf"\1{BLOT}"),
)
_DEPTH = 6

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class Redactor:
    """Blots out secrets wherever they stand in an event."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        self._secrets = tuple(secret for secret in secrets if len(secret) >= 6)

    def __call__(
        self, _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        for name in list(event):
            event[name] = self._field(name, event[name], _DEPTH)
        return event

    def text(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, BLOT)
        for pattern, instead in _SECRET_TEXTS:
            text = pattern.sub(instead, text)
        return text

    def _field(self, name: str, value: Any, depth: int) -> Any:
        if value is not None and _SECRET_NAME.search(name) and name not in _HARMLESS_NAMES:
            return BLOT
        return self._value(value, depth)

    def _value(self, value: Any, depth: int) -> Any:
        if isinstance(value, SecretStr) or depth == 0:
            return BLOT
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bytes):
            return self.text(value.decode("utf-8", "replace"))
        if isinstance(value, Mapping):
            return {str(key): self._field(str(key), item, depth - 1) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._value(item, depth - 1) for item in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.text(str(value))


def configure(level: str = "info", secrets: Sequence[str] = (), stream: TextIO | None = None) -> None:
    """Send structlog events and what libraries log to `stream` (stderr), one line each."""
    stream = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    finish = _finish(stream, secrets)
    structlog.configure(
        processors=[*shared, *finish],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    _route_libraries(shared, finish, stream)


def _finish(stream: TextIO, secrets: Sequence[str]) -> list[Processor]:
    redact = Redactor(secrets)
    if stream.isatty():
        # A traceback is made a text before the renderer sees it, so that it is blotted out like one.
        console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        return [structlog.processors.format_exc_info, redact, console]
    return [structlog.processors.format_exc_info, redact, structlog.processors.JSONRenderer()]


def _route_libraries(shared: list[Processor], finish: list[Processor], stream: TextIO) -> None:
    """What the libraries log, from warnings on: the info lines of some show URLs with tokens."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *finish],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
