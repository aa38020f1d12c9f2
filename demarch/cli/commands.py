"""The one table of what is ever run: command → binary, words, patience, and which exit codes are answers.

`ic` takes values as `--key=value` only, and the id a command is about before all options; both generations of
its parser read that the same way. Nothing here goes through a shell.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

IC = "ic"
BD = "bd"

READ = 10.0  #: seconds
WRITE = 30.0
SPAWN = 60.0  #: a move may start agents
LARGEST = 8 * 1024 * 1024  #: bytes on stdout

#: `ic` waits only 100 ms for its database unless told; the process has to outlive that wait.
_GLOBAL: Mapping[str, tuple[str, ...]] = {IC: ("--json", "--timeout=5s"), BD: ("--json",)}

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the table."""

    program: str
    words: tuple[str, ...]
    timeout: float
    #: exit codes besides 0 that are an answer: not found, blocked, exceeded
    negatives: frozenset[int] = frozenset()
    writes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A row with everything filled in: ready to be run."""

    row: Row
    argv: tuple[str, ...]  #: without the binary
    stdin: bytes | None = None

    @property
    def shown(self) -> str:
        """For logs and sentences: the words without what they are about."""
        return " ".join((self.row.program, *self.row.words))


_ANSWERS = frozenset({1})


def _ic(words: str, *, timeout: float = READ, answers: bool = False, writes: bool = False) -> Row:
    negatives = _ANSWERS if answers else frozenset[int]()
    return Row(program=IC, words=tuple(words.split()), timeout=timeout, negatives=negatives, writes=writes)


def _bd(words: str, *, timeout: float = 15.0, answers: bool = False, writes: bool = False) -> Row:
    negatives = _ANSWERS if answers else frozenset[int]()
    return Row(program=BD, words=tuple(words.split()), timeout=timeout, negatives=negatives, writes=writes)


TABLE: Mapping[str, Row] = MappingProxyType(
    {
        # looking whether it is there
        "ic.health": _ic("health"),
        "ic.version": _ic("version"),
        "bd.version": _bd("version"),
        "autonomy.status": _ic("autonomy status"),
        # a group without a command of it: says on stderr which ones there are, and does nothing
        "ic.run": _ic("run"),
        "ic.gate": _ic("gate"),
        "ic.events": _ic("events"),
        "ic.state": _ic("state"),
        "ic.discovery": _ic("discovery"),
        # runs
        "run.current": _ic("run current", answers=True),
        "run.status": _ic("run status", answers=True),
        "run.list": _ic("run list"),
        "run.events": _ic("run events", answers=True),
        "run.budget": _ic("run budget", answers=True),
        "run.tokens": _ic("run tokens", answers=True),
        "run.artifacts": _ic("run artifact list", answers=True),
        "run.create": _ic("run create", timeout=WRITE, writes=True),
        "run.advance": _ic("run advance", timeout=SPAWN, answers=True, writes=True),
        "run.rollback": _ic("run rollback", timeout=WRITE, answers=True, writes=True),
        "run.cancel": _ic("run cancel", timeout=WRITE, answers=True, writes=True),
        "run.set": _ic("run set", timeout=WRITE, answers=True, writes=True),
        # gates and decisions
        "gate.check": _ic("gate check", answers=True),
        "gate.override": _ic("gate override", timeout=SPAWN, answers=True, writes=True),
        "state.get": _ic("state get", answers=True),
        "state.set": _ic("state set", timeout=WRITE, writes=True),
        # events
        "events.tail": _ic("events tail"),
        "events.record": _ic("events record", timeout=WRITE, writes=True),
        # agents at work
        "dispatch.list": _ic("dispatch list"),
        # discoveries
        "discovery.list": _ic("discovery list"),
        "discovery.status": _ic("discovery status", answers=True),
        "discovery.submit": _ic("discovery submit", timeout=WRITE, answers=True, writes=True),
        "discovery.promote": _ic("discovery promote", timeout=WRITE, answers=True, writes=True),
        "discovery.dismiss": _ic("discovery dismiss", timeout=WRITE, answers=True, writes=True),
        # issues; `bd` says 1 to everything it does not do, the reason stands in what it prints
        "bd.show": _bd("show", answers=True),
        "bd.list": _bd("list"),
        "bd.search": _bd("search"),
        "bd.ready": _bd("ready"),
        "bd.blocked": _bd("blocked"),
        "bd.create": _bd("create", timeout=WRITE, answers=True, writes=True),
        "bd.update": _bd("update", timeout=WRITE, answers=True, writes=True),
        "bd.close": _bd("close", timeout=WRITE, answers=True, writes=True),
    }
)


def command(name: str, *about: str, stdin: bytes | None = None, **options: Value) -> Command:
    """Fill a row in. `auto_advance=False` gives `--auto-advance=false`; None leaves an option out.

    An option without a value is written with `flagged(...)`.
    """
    row = TABLE[name]
    written = [
        f"--{key.replace('_', '-')}={_text(value)}" for key, value in options.items() if value is not None
    ]
    # Only `bd` knows "--": words of a person that begin with a dash are no options.
    loose = row.program == BD and any(word.startswith("-") for word in about)
    about = tuple(_text(word) for word in about)
    argv = (*row.words, *written, "--", *about) if loose else (*row.words, *about, *written)
    return Command(row=row, argv=(*_GLOBAL[row.program], *argv), stdin=stdin)


def flagged(given: Command, *flags: str) -> Command:
    """With options that take no value, such as `all` or `justified`."""
    split = given.argv.index("--") if "--" in given.argv else len(given.argv)
    named = tuple(f"--{flag}" for flag in flags)
    return Command(row=given.row, argv=given.argv[:split] + named + given.argv[split:], stdin=given.stdin)


def _text(value: str | int | float | bool) -> str:
    # A NUL ends an argument for the system; nothing of ours may be cut in two.
    return str(value).lower() if isinstance(value, bool) else str(value).replace("\0", "")
