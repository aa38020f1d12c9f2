"""Transcripts of conversations that are over, as Markdown files that agents of the group can only read."""

import asyncio
import os
import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from uuid import UUID

from asyncpg.protocol import Record

from host.people.registry import Group
from host.phrases import one_line
from storage import sql
from storage.clock import Clock
from storage.database import Database

_SQL = sql.load("host", "history")
LONGEST_WORDS = 2_000  #: characters of one message
MOST_WORDS = 10_000  #: messages of one file, the newest
_TITLE = 48
_TRIES = 1000
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|!~&])")
_BREAKS = re.compile(r"\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


class Archive:
    """Writes one file per conversation into the group's folder below `folder`."""

    def __init__(self, database: Database, folder: Path, clock: Clock, *, agent: str) -> None:
        self._database = database
        self._folder = folder
        self._clock = clock
        self._agent = agent  #: what the assistant is called

    async def keep(self, lane: str, group: Group, conversation: UUID) -> str:
        """Write what was said since a conversation began; the file's name, "" when nothing was said.

        Raises OSError.
        """
        words = await self._database.fetch(
            _SQL["history.whole"], lane, conversation, LONGEST_WORDS + 1, MOST_WORDS
        )
        if not words:
            return ""
        now = self._clock.now()
        text = transcript(group.title or group.folder, lane, words, agent=self._agent)
        name = f"{now:%Y-%m-%d-%H%M}-{_slug(words)}"
        return await asyncio.to_thread(_write, self._folder / group.folder, name, text.encode())


def transcript(title: str, lane: str, words: Sequence[Record], *, agent: str) -> str:
    """The file. Every line somebody wrote is quoted, so that nobody can write a heading. Pure."""
    first, last = words[0]["at"], words[-1]["at"]
    lines = [
        f"# {plain(title)}",
        "",
        f"Conversation {plain(lane)}, {_time(first)} to {_time(last)}, {len(words)} messages.",
    ]
    for each in words:
        lines += ["", f"## {_who(each, agent)} · {_time(each['at'])}", "", *_quoted(each["text"])]
    return "\n".join([*lines, ""])


def plain(text: str) -> str:
    """A name or title as one line without markup."""
    return _MARKUP.sub(r"\\\1", one_line(text)) or "unnamed"


def _who(words: Record, agent: str) -> str:
    match words["source"]:
        case "agent":
            return f"{plain(agent)} (agent)"
        case "host":
            return "Host"
        case _:
            return f"{plain(words['name'])} (person)"


def _quoted(text: str) -> list[str]:
    cut = f"{text[:LONGEST_WORDS]} … (cut)" if len(text) > LONGEST_WORDS else text
    clean = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", _BREAKS.sub("\n", cut))
    return [f"> {line}".rstrip() for line in clean.split("\n")]


def _time(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC"


def _slug(words: Sequence[Record]) -> str:
    """What the first person said, as a file may be called."""
    said = next((each["text"] for each in words if each["source"] == "person"), "")
    ascii_only = unicodedata.normalize("NFKD", said[:400].casefold()).encode("ascii", "ignore").decode()
    slug = "-".join(re.findall(r"[a-z0-9]+", ascii_only))[:_TITLE].strip("-")
    return slug or "conversation"


def _write(folder: Path, name: str, data: bytes) -> str:
    """Whole or not at all, readable by agents, never over another file."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    temporary = folder / f".{name}.{os.getpid()}.part"
    with suppress(FileNotFoundError):
        temporary.unlink()  # of a run that was killed here
    file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(file, "wb") as opened:
            opened.write(data)
            opened.flush()
            os.fchmod(file, 0o644)
            os.fsync(file)
        written = _link(temporary, folder, name)
    finally:
        temporary.unlink()
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(place)
    finally:
        os.close(place)
    return written


def _link(temporary: Path, folder: Path, name: str) -> str:
    candidates = (f"{name}.md", *(f"{name}-{number}.md" for number in range(2, _TRIES)))
    for candidate in candidates:
        with suppress(FileExistsError):
            os.link(temporary, folder / candidate)
            return candidate
    raise FileExistsError(f"{folder} has a file under every name like {name}")
