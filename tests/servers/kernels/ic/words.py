"""The words of a command: `--key=value` and bare `--flag`, nothing else; unknown ones are let go by."""

from __future__ import annotations

from tests.servers.kernels import shell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


class Words:
    """`--key value` is a flag that is on and a loose word, exactly as the real parser takes it."""

    def __init__(self, given: list[str]) -> None:
        self.values: dict[str, str] = {}
        self.on: set[str] = set()
        self.loose: list[str] = []
        for word in given:
            if len(word) < 3 or not word.startswith("--"):
                self.loose.append(word)
            elif "=" in word[2:]:
                key, _, value = word[2:].partition("=")
                self.values[key] = value
            else:
                self.on.add(word[2:])

    def has(self, name: str) -> bool:
        return name in self.values or name in self.on

    def text(self, name: str, default: str = "") -> str:
        return self.values.get(name, default)

    def flag(self, name: str) -> bool:
        return name in self.on or self.values.get(name) in {"true", "1"}

    def number(
        self, name: str, default: int, command: str, least: int | None = None, most: int | None = None
    ) -> int:
        """A whole number in bounds, or the end of the command: usage. A bare flag has no value."""
        given = self.values.get(name)
        value = default if given is None else _whole(given)
        low = value is not None and least is not None and value < least
        high = value is not None and most is not None and value > most
        if value is None or (self.has(name) and (low or high)):
            usage(command, f"invalid {name}", value=given or "")
        return value


def _whole(text: str) -> int | None:
    body = text[1:] if text[:1] in {"+", "-"} else text
    return int(text) if body.isascii() and body.isdigit() else None


def boolean(text: str) -> bool | None:
    """As Go's ParseBool reads it."""
    if text in {"1", "t", "T", "TRUE", "true", "True"}:
        return True
    return False if text in {"0", "f", "F", "FALSE", "false", "False"} else None


def seconds(text: str) -> float | None:
    """As Go's ParseDuration reads it: "500ms", "5s", "1h30m"."""
    units = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
    rest, total = text.lstrip("+-"), 0.0
    if rest == "0":
        return 0.0
    while rest:
        number = rest[: len(rest) - len(rest.lstrip("0123456789."))]
        rest = rest[len(number) :]
        unit = rest[: len(rest) - len(rest.lstrip("nsuµmh"))]
        unit = next((one for one in ("ns", "us", "µs", "ms", "s", "m", "h") if unit.startswith(one)), "")
        if not number or not unit or number.count(".") > 1 or number == ".":
            return None
        total += float(number) * units[unit]
        rest = rest[len(unit) :]
    return total if text else None


def log(level: str, message: str, **about: Any) -> None:
    """A line of the structured log, as JSON on stderr."""
    from datetime import datetime

    when = datetime.fromtimestamp(shell.now()).astimezone().isoformat()
    shell.complain(shell.json_text({"time": when, "level": level, "msg": message, **about}))


def usage(command: str, message: str, **about: Any) -> NoReturn:
    """Exit 3: not called properly."""
    log("ERROR", f"{command}: {message}" if command else message, **about)
    raise shell.Ended(3)


def misused(line: str) -> NoReturn:
    """Exit 3 with the line that says how it is called; plain text, not a log line."""
    shell.complain(f"ic: {line}")
    raise shell.Ended(3)


def first(given: list[str], command: str, usage_: str) -> str:
    """The first word whatever it is, even an option: some commands read no options at all."""
    if not given:
        misused(f"{command}: usage: ic {usage_}")
    return given[0]


def negative(command: str, message: str, **about: Any) -> NoReturn:
    """Exit 1: an answer that was to be expected, just not the wished one."""
    log("ERROR", f"{command}{message}", **about)
    raise shell.Ended(1)


def broken(command: str, error: object) -> NoReturn:
    """Exit 2: something went wrong."""
    log("ERROR", f"{command} failed", error=str(error))
    raise shell.Ended(2)
