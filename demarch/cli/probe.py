"""Finds out what the binaries at hand can do, so that what they cannot is not even offered.

Nothing is changed by looking: a group of commands named without any of them tells which ones there are.
"""

import asyncio
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import structlog

from demarch.cli.beside import side_by_side
from demarch.cli.commands import BD, IC, command
from demarch.cli.failures import BrokeOff, Garbled, NotStarted
from demarch.cli.needs import GROUPS, KNOWN, NEEDS, absent_ones
from demarch.cli.parsing import complaint, line_of, number_of, objects, plain
from demarch.cli.process import Result, Runner
from demarch.errors import KernelUnavailable
from demarch.kernel import Capabilities
from demarch.phrases import one_line
from storage.clock import Clock

log = structlog.get_logger()

FRESH = timedelta(minutes=1)  #: after that long it is looked at again what the binaries can do
_WORD = re.compile(r"[a-z][a-z-]*")
_NO_DATABASE = ("no beads database", "no .beads", "database not found", "not initialized", "bd init")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a look found."""

    trouble: str = ""  #: why the kernel does not answer, or nothing
    capabilities: Capabilities = field(default_factory=Capabilities)
    versions: Mapping[str, str] = field(default_factory=dict)


class Probe:
    """Looks at the binaries of one project, and remembers what it found."""

    def __init__(self, runner: Runner, clock: Clock) -> None:
        self._runner = runner
        self._clock = clock
        self._looking = asyncio.Lock()
        self._looked: datetime | None = None
        self._seen: Sequence[tuple[str, float]] = ()
        self._found = Found()

    @property
    def capabilities(self) -> Capabilities:
        return self._found.capabilities

    async def trouble(self) -> str:
        """Why the kernel does not answer. Also looks at what it can do, if that may have changed."""
        async with self._looking:
            trouble, binaries = await self.health(), await self._binaries()
            now, looked = self._clock.now(), self._looked
            known = looked is not None and now - looked < FRESH and binaries == self._seen
            if not known or bool(trouble) != bool(self._found.trouble):
                self._found = await self.look(trouble)
                self._looked, self._seen = now, binaries
            return trouble

    async def _binaries(self) -> Sequence[tuple[str, float]]:
        """Where they lie and since when: somebody may install one at any time."""
        path = self._runner.environment.get("PATH", "")
        return await asyncio.to_thread(lambda: [_file(name, path) for name in (IC, BD)])

    async def health(self) -> str:
        """Why the kernel does not answer right now; nothing if it does."""
        try:
            result = await self._runner.run(command("ic.health"))
        except KernelUnavailable as error:
            return str(error)
        if result.code == 0:
            return ""
        why = complaint(result.out, result.err) or f"exit code {result.code}"
        return f"The kernel of this project is not well: {why}"

    async def look(self, trouble: str) -> Found:
        """What can be done. A binary that is not there is no error, it is what was found."""
        async with side_by_side() as group:
            ic = group.create_task(self._version(IC, "ic.version"))
            bd = group.create_task(self._version(BD, "bd.version"))
            lacking = group.create_task(self._groups())
            issues = group.create_task(self._issues())
            autonomy = group.create_task(self._autonomy())
        never, trouble_there = issues.result()
        missing = lacking.result() | {BD: bd.result().missing or never}
        notes = [autonomy.result(), bd.result().note or trouble_there, ic.result().note]
        absent = absent_ones(ic.result().missing, missing)
        notes = [ic.result().missing, missing[BD], *notes]
        versions = {IC: ic.result().version, BD: bd.result().version}
        found = Found(
            trouble=trouble,
            capabilities=Capabilities(
                absent=MappingProxyType(absent), notes=tuple(dict.fromkeys(note for note in notes if note))
            ),
            versions=versions,
        )
        if found != self._found:
            log.info("kernel.probed", ic=versions[IC], bd=versions[BD], absent=sorted(absent))
        return found

    async def _version(self, program: str, name: str) -> "_Binary":
        try:
            await self._runner.locate(program, anew=True)
            result = await self._runner.run(command(name))
        except NotStarted as error:
            return _Binary(missing=str(error))
        except BrokeOff as error:
            return _Binary(version="unknown", note=f"{program} is there and does not answer: {error}")
        said = _said(result)
        first = result.out.partition("\n")[0].removeprefix(program)
        return _Binary(version=line_of(said, "version", 32) if said else plain(first, 32))

    async def _groups(self) -> dict[str, str]:
        """The commands that are missing, each with a sentence. What cannot be told is taken to be there."""
        async with side_by_side() as group:
            tasks = {name: group.create_task(self._listing(name)) for name in GROUPS}
        missing: dict[str, str] = {}
        for words in (words for needs in NEEDS.values() for words in needs if words != BD):
            name, _, one = words.partition(" ")
            known = tasks[name].result()
            if known is not None and one not in known:
                missing[words] = f"This version of ic has no “{words}”."
        return missing

    async def _listing(self, name: str) -> frozenset[str] | None:
        try:
            result = await self._runner.run(command(f"ic.{name}"))
        except KernelUnavailable:
            return None
        said = f"{result.err}\n{result.out}".lower()
        if "unknown command" in said:
            return frozenset()
        listed = frozenset(_WORD.findall(said.partition("missing subcommand")[2]))
        return listed if len(listed & KNOWN[name]) > 1 else None

    async def _issues(self) -> tuple[str, str]:
        """Why there are no issues to be had in this project; and why there are none just now."""
        try:
            result = await self._runner.run(command("bd.list", limit=1))
        except NotStarted:
            return "", ""
        except KernelUnavailable as error:
            return "", f"bd does not answer in this project: {error}"
        if result.code == 0:
            return "", ""
        if any(sign in f"{result.out}{result.err}".lower() for sign in _NO_DATABASE):
            return "This project has no issues yet: bd was never set up in its folder (bd init).", ""
        why = complaint(result.out, result.err) or f"exit code {result.code}"
        return "", f"bd does not work in this project: {why}"

    async def _autonomy(self) -> str:
        """A level at which the kernel asks a person before every step is worth a note."""
        try:
            result = await self._runner.run(command("autonomy.status"))
        except KernelUnavailable:
            return ""
        said = _said(result) if result.code == 0 else None
        if not said or "level" not in said or number_of(said, "level") > 1:
            return ""
        name = one_line(line_of(said, "name"), 60)
        level = number_of(said, "level")
        return f"The project's autonomy is L{level} ({name}): every run asks at every gate."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Binary:
    version: str = ""
    missing: str = ""  #: why there is none
    note: str = ""  #: what else is wrong with it


def _said(result: Result) -> dict[str, object] | None:
    try:
        found = objects(result.out)
    except Garbled:
        return None
    return found[0] if found else None


def _file(program: str, path: str) -> tuple[str, float]:
    """Blocking."""
    found = shutil.which(program, path=path)
    try:
        return (found, Path(found).stat().st_mtime) if found else ("", 0.0)
    except OSError:
        return "", 0.0
