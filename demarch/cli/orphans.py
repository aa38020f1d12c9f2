"""Commands that outlived the program that ran them: what such a one is about to do has not been done yet."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from demarch.cli.commands import BD, IC, TABLE

_PROGRAMS = frozenset({IC, BD})
#: interpreters stand before the program they run
_FIRST = 3
_WRITES = tuple(row.words for row in TABLE.values() if row.writes)


async def at_work(folder: Path, *signs: str) -> bool:
    """Whether a writing command with one of these in its words runs in the folder.

    Where the system does not tell, none is seen.
    """
    return await asyncio.to_thread(_any_writes, folder, [sign for sign in signs if sign])


def _any_writes(folder: Path, signs: Sequence[str]) -> bool:
    return any(_writes(words, signs) for words in _commands(folder))


def _commands(folder: Path) -> Iterator[Sequence[str]]:
    """The words of the kernel's programs that run in the folder."""
    with suppress(OSError):
        here = folder.stat()
        for process in Path("/proc").iterdir():
            if process.name.isdigit():
                yield from _words(process, here)


def _words(process: Path, here: os.stat_result) -> Iterator[Sequence[str]]:
    with suppress(OSError):  # gone, or somebody else's
        words = (process / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
        at = next((n for n, word in enumerate(words[:_FIRST]) if Path(word).name in _PROGRAMS), None)
        if at is not None and os.path.samestat((process / "cwd").stat(), here):
            yield words[at + 1 :]


def _writes(words: Sequence[str], signs: Sequence[str]) -> bool:
    plain = tuple(word for word in words if not word.startswith("-"))
    return any(plain[: len(row)] == row for row in _WRITES) and any(
        sign in word for word in words for sign in signs
    )
