"""What was run: the log that every fake executable writes, read back."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """One command that somebody ran; `code` is None while it runs, or when it was killed."""

    program: str
    words: tuple[str, ...]
    folder: str
    code: int | None
    began: int  #: place in the order of all beginnings and ends
    ended: int | None


def holds(wanted: Sequence[str], said: Sequence[str]) -> bool:
    rest = iter(said)
    return all(any(word == given for given in rest) for word in wanted)


def read(path: Path) -> Iterator[Called]:
    if not path.exists():
        return
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    ends: dict[int, list[tuple[int, int]]] = {}
    for place, line in enumerate(lines):
        if "code" in line:
            ends.setdefault(line["pid"], []).append((place, line["code"]))
    for place, line in enumerate(lines):
        if "program" not in line:
            continue
        ended = next(((at, code) for at, code in ends.get(line["pid"], ()) if at > place), None)
        yield Called(
            program=line["program"],
            words=tuple(line["words"]),
            folder=line["folder"],
            code=ended[1] if ended else None,
            began=place,
            ended=ended[0] if ended else None,
        )
