"""Finds out what the binaries at hand can do, so that what they cannot is not even offered.

Nothing is changed by looking: a group of commands named without any of them tells which ones there are.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

import structlog

from demarch.cli.beside import side_by_side
from demarch.cli.commands import BD, IC, command
from demarch.cli.failures import BrokeOff, Garbled, NotStarted
from demarch.cli.parsing import complaint, line_of, number_of, objects, plain
from demarch.cli.process import Result, Runner
from demarch.errors import KernelUnavailable
from demarch.kernel import Capabilities
from demarch.phrases import one_line
from storage.clock import Clock

log = structlog.get_logger()

#: what of the binaries each operation cannot do without: a group of commands and one of it
NEEDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "run_status": ("run current", "run status"),
        "sprint_phase": ("run current", "run status"),
        "spec_lookup": ("run artifact",),
        "run_events": ("events tail",),
        "research": ("discovery list",),
        "register_finding": ("discovery submit",),
        "start_run": ("run create",),
        "approve_gate": ("gate override", "run advance"),
        "reject_gate": ("state set", "events record"),
        "defer_gate": ("state set", "events record"),
        "advance_phase": ("run advance",),
        "pause_run": ("run set",),
        "resume_run": ("run set",),
        "cancel_run": ("run cancel",),
        "extend_budget": ("run create",),
        "promote_discovery": ("discovery promote", BD),
        "dismiss_discovery": ("discovery dismiss",),
        "search_beads": (BD,),
        "next_work": (BD,),
        "create_issue": (BD,),
        "update_issue": (BD,),
        "close_issue": (BD,),
    }
)
FRESH = timedelta(minutes=1)  #: after that long it is looked at again what the binaries can do
GROUPS = ("run", "gate", "events", "state", "discovery")
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
        self._found = Found()

    @property
    def capabilities(self) -> Capabilities:
        return self._found.capabilities

    async def trouble(self) -> str:
        """Why the kernel does not answer; looks at what it can do when that was long ago or has changed."""
        async with self._looking:
            trouble = await self.health()
            now, looked = self._clock.now(), self._looked
            if looked is None or now - looked >= FRESH or bool(trouble) != bool(self._found.trouble):
                self._found = await self.look(trouble)
                self._looked = now
            return trouble

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
        missing = {BD: bd.result().missing}
        if not ic.result().missing:
            missing |= await self._groups()
        if not missing[BD]:
            missing[BD] = await self._issues()
        absent = _absent(ic.result().missing, missing)
        notes = [reason for reason in (ic.result().missing, missing[BD]) if reason]
        notes += await self._autonomy() if not ic.result().missing else []
        versions = {IC: ic.result().version, BD: bd.result().version}
        log.info("kernel.probed", ic=versions[IC], bd=versions[BD], absent=sorted(absent))
        return Found(
            trouble=trouble,
            capabilities=Capabilities(absent=MappingProxyType(absent), notes=tuple(dict.fromkeys(notes))),
            versions=versions,
        )

    async def _version(self, program: str, name: str) -> "_Binary":
        try:
            await self._runner.locate(program, anew=True)
            result = await self._runner.run(command(name))
        except NotStarted as error:
            return _Binary(missing=str(error))
        except BrokeOff as error:
            return _Binary(missing=f"{program} is there and does not answer: {error}")
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
        return listed if len(listed & _KNOWN[name]) > 1 else None

    async def _issues(self) -> str:
        """Why there are no issues to be had in this project; nothing if there are."""
        try:
            result = await self._runner.run(command("bd.list", limit=1))
        except KernelUnavailable as error:
            return f"bd does not answer in this project: {error}"
        if result.code == 0:
            return ""
        why = complaint(result.out, result.err) or f"exit code {result.code}"
        if any(sign in f"{result.out}{result.err}".lower() for sign in _NO_DATABASE):
            return "This project has no issues yet: bd was never set up in its folder (bd init)."
        return f"bd does not work in this project: {why}"

    async def _autonomy(self) -> Sequence[str]:
        """A level at which the kernel asks a person before every step is worth a note."""
        try:
            result = await self._runner.run(command("autonomy.status"))
        except KernelUnavailable:
            return ()
        said = _said(result) if result.code == 0 else None
        if not said or "level" not in said or number_of(said, "level") > 1:
            return ()
        name = one_line(line_of(said, "name"), 60)
        return (
            f"The project's autonomy is L{number_of(said, 'level')} ({name}): every run asks at every gate.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Binary:
    version: str = ""
    missing: str = ""


_KNOWN: Mapping[str, frozenset[str]] = {
    name: frozenset(
        words.split()[1] for needs in NEEDS.values() for words in needs if words.startswith(f"{name} ")
    )
    | frozenset({"status", "list", "check", "rules", "get", "delete", "tail", "cursor"})
    for name in GROUPS
}


def _said(result: Result) -> dict[str, object] | None:
    try:
        found = objects(result.out)
    except Garbled:
        return None
    return found[0] if found else None


def _absent(ic: str, missing: Mapping[str, str]) -> dict[str, str]:
    absent: dict[str, str] = {}
    for operation, needs in NEEDS.items():
        reasons = [missing.get(BD, "") if words == BD else ic or missing.get(words, "") for words in needs]
        if reason := next((reason for reason in reasons if reason), ""):
            absent[operation] = reason
    return absent
