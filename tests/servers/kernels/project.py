"""A project's folder with the fake kernel in it, and the hands a test has on it."""

import asyncio
import contextlib
import json
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.servers.kernels import calls, faults, shell
from tests.servers.kernels.calls import Called

ROOT = Path(__file__).parents[3]
PROGRAMS = ("ic", "bd")
#: seconds a command of a test may take
PATIENCE = 20

# The interpreter itself, without site-packages: it starts in a fifth of the time.
_SCRIPT = """#!{python} -IS
import sys
sys.path.insert(0, {root!r})
from tests.servers.kernels import shell
def load():
    from tests.servers.kernels.{program}.main import main
    return main
shell.enter({program!r}, {home!r}, load)
"""


class CommandFailed(Exception):
    """A command of the test itself came out otherwise than the test needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> Sequence[Any]:
        """Of NDJSON."""
        return [json.loads(line) for line in self.out.splitlines() if line.strip()]


class Project:
    """Executables lie in `bin`, beside what controls them; HOME of every command is `home`."""

    def __init__(self, folder: Path, bin: Path, home: Path) -> None:  # noqa: A002 - what it is called
        self.folder = folder
        self.bin = bin
        self.home = home
        self.variables: dict[str, str] = {}  #: what else is in the environment

    @classmethod
    def create(
        cls, place: Path, *, name: str = "project", prefix: str = "iv", tools: Path | None = None
    ) -> "Project":
        """Make PLACE/name with an initialised kernel, and PLACE/bin (or use `tools`, made before)."""
        folder = place / name
        folder.mkdir(parents=True)
        project = cls(folder.resolve(), tools or install(place / "bin"), place / "home")
        project.home.mkdir(exist_ok=True)
        _initialise(project.folder, prefix)
        return project

    @property
    def environment(self) -> dict[str, str]:
        """What whoever calls the executables should have around them."""
        known = {"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(self.home), "LANG": "C.UTF-8"}
        return known | self.variables

    # ---- driving ------------------------------------------------------------

    async def ic(self, *words: str, stdin: str = "", code: int | None = 0) -> Answer:
        """Run `ic`; any exit code will do with code=None."""
        return await self._run("ic", ("--json", "--timeout=5s", *words), stdin, code)

    async def bd(self, *words: str, code: int | None = 0) -> Answer:
        return await self._run("bd", (*words, "--json"), "", code)

    async def raw(self, program: str, *words: str, stdin: str = "") -> Answer:
        """Exactly these words."""
        return await self._run(program, words, stdin, None)

    async def _run(self, program: str, words: Sequence[str], stdin: str, code: int | None) -> Answer:
        process = await asyncio.create_subprocess_exec(
            self.bin / program,
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self.folder,
            env=self.environment,
        )
        try:
            async with asyncio.timeout(PATIENCE):
                out, err = await process.communicate(stdin.encode())
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        answer = Answer(
            code=process.returncode or 0, out=out.decode(errors="replace"), err=err.decode(errors="replace")
        )
        if code is not None and answer.code != code:
            raise CommandFailed(f"{program} {' '.join(words)}: exit {answer.code}\n{answer.out}{answer.err}")
        return answer

    async def run(self, goal: str = "refactor auth", **options: object) -> str:
        """A new run; options as the command takes them, `token_budget=1000`."""
        return str((await self.ic("run", "create", f"--goal={goal}", *_options(options))).json["id"])

    async def issue(self, title: str, **options: object) -> str:
        return str((await self.bd("create", f"--title={title}", *_options(options))).json["id"])

    async def find(self, title: str, **options: object) -> str:
        """A new discovery."""
        options = {"source": "scout", "source_id": title, "score": 0.7} | options
        return (await self.ic("discovery", "submit", f"--title={title}", *_options(options))).out.strip()

    async def advance(self, run_id: str, **options: object) -> Answer:
        return await self.ic("run", "advance", run_id, *_options(options), code=None)

    async def artifact(self, run_id: str, phase: str, path: str = "docs/plan.md") -> str:
        answer = await self.ic("run", "artifact", "add", run_id, f"--phase={phase}", f"--path={path}")
        return str(answer.json["id"])

    async def spend(self, run_id: str, tokens: int) -> None:
        """An agent of this run uses that many tokens."""
        spawned = await self.ic("dispatch", "spawn", f"--scope-id={run_id}", "--prompt-file=prompt.md")
        await self.ic("dispatch", "tokens", spawned.json["id"], f"--in={tokens}")

    # ---- what no command does -----------------------------------------------

    def sql(self, statement: str, *arguments: object) -> list[tuple[Any, ...]]:
        """Straight into the kernel's database, for what only the agency's other tools do."""
        with contextlib.closing(self._database()) as db, db:
            return list(db.execute(statement, arguments))

    def verdict(self, scope: str, status: str = "pass", summary: str = "looked at it") -> None:
        """An agent that worked under this scope handed in its verdict."""
        self.sql(
            "INSERT INTO dispatches (id, agent_type, status, project_dir, created_at, scope_id,"
            " verdict_status,"
            " verdict_summary) VALUES (hex(randomblob(4)), 'codex', 'completed', '', 0, ?, ?, ?)",
            scope,
            status,
            summary,
        )

    def propose(self, discovery_id: str) -> None:
        """What the ranking of discoveries does: this one is put before people."""
        self.sql("UPDATE discoveries SET status = 'proposed' WHERE id = ?", discovery_id)
        self.sql(
            "INSERT INTO discovery_events (discovery_id, event_type, from_status, to_status,"
            " payload, created_at)"
            " VALUES (?, 'discovery.proposed', 'scored', 'proposed', '{}', CAST(strftime('%s') AS INTEGER))",
            discovery_id,
        )

    @asynccontextmanager
    async def locked(self) -> Any:
        """Somebody else writes into the kernel's database for as long as this lasts."""
        with contextlib.closing(self._database()) as db:
            db.execute("BEGIN IMMEDIATE")
            yield
            db.execute("ROLLBACK")

    def _database(self) -> sqlite3.Connection:
        return sqlite3.connect(self.folder / ".clavain" / "intercore.db", timeout=5, isolation_level=None)

    def save(self, path: Path) -> None:
        """A copy of the kernel's database, for `restore`."""
        with contextlib.closing(self._database()) as db, contextlib.closing(sqlite3.connect(path)) as copy:
            db.backup(copy)

    def restore(self, path: Path) -> None:
        """An older state of the kernel comes back: event ids jump back."""
        with contextlib.closing(sqlite3.connect(path)) as copy, contextlib.closing(self._database()) as db:
            copy.backup(db)

    # ---- faults and what was called -----------------------------------------

    def set_time(self, now: datetime) -> None:
        """From now on the kernel's clock stands still at this time."""
        (self.bin / shell.CLOCK).write_text(str(now.timestamp()))

    def plant(self, fits: str, kind: str, *, times: int = 1, **about: Any) -> None:
        """The next `times` commands whose words hold `fits` go wrong; kinds stand in `faults`."""
        faults.plant(str(self.bin), fits, kind, times=times, **about)

    def heal(self) -> None:
        faults.clear(str(self.bin))

    def remove(self, program: str) -> None:
        (self.bin / program).unlink()

    def bring_back(self, program: str) -> None:
        _write(self.bin, program)

    def calls(self, fits: str = "") -> list[Called]:
        """What was run so far, in the order it began; only those whose words hold `fits`."""
        wanted = fits.split()
        return [
            call
            for call in calls.read(self.bin / shell.CALLS)
            if calls.holds(wanted, (call.program, *call.words))
        ]

    def forget(self) -> None:
        """Calls so far do not count."""
        (self.bin / shell.CALLS).unlink(missing_ok=True)


def install(folder: Path) -> Path:
    """A folder of executables, to be put on PATH. Projects may share one, and its faults and calls then."""
    folder.mkdir(parents=True)
    folder = folder.resolve()
    for program in PROGRAMS:
        _write(folder, program)
    return folder


def _write(folder: Path, program: str) -> None:
    python = getattr(sys, "_base_executable", sys.executable)
    script = folder / program
    script.write_text(_SCRIPT.format(python=python, root=str(ROOT), program=program, home=str(folder)))
    script.chmod(0o755)


def _initialise(folder: Path, prefix: str) -> None:
    """The tables are made in this process: a test should not wait for two programs to start."""
    from tests.servers.kernels.bd import database as issues
    from tests.servers.kernels.ic import database as kernel

    (folder / kernel.FOLDER).mkdir(mode=0o700)
    with contextlib.closing(sqlite3.connect(folder / kernel.FOLDER / kernel.NAME)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = OFF")
        db.executescript(kernel.SCHEMA)
        db.execute(f"PRAGMA user_version = {kernel.SCHEMA_VERSION}")
    issues.make(str(folder), prefix)


def _options(options: dict[str, object]) -> list[str]:
    return [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
