"""The terminal: `ic` and `bd` as people know them, on the embedded kernel."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from demarch.embedded import EmbeddedKernel
from demarch.terminal import Shell, kernel_group
from storage.clock import Clock
from storage.database import Database
from storage.ids import NewId
from tests.clock import HandClock
from tests.demarch.driving import Driver


class Terminal:
    """A person at a terminal: each command opens the database anew, in a loop of its own."""

    def __init__(self, url: str, clock: Clock, new_id: NewId) -> None:
        @contextlib.asynccontextmanager
        async def open_kernel() -> AsyncIterator[EmbeddedKernel]:
            async with Database.open(url, size=2) as database:
                yield EmbeddedKernel(database, clock)

        self._group = kernel_group(
            Shell(open_kernel=open_kernel, actor="cli:ana", clock=clock, new_id=new_id)
        )

    def invoke(self, *line: str) -> Result:
        return CliRunner().invoke(self._group, line)

    def say(self, *line: str, code: int = 0) -> str:
        """What a command prints."""
        result = self.invoke(*line)
        assert result.exit_code == code, (result.output, result.exception)
        return result.output.strip()

    def ask(self, *line: str, code: int = 0) -> Any:
        """What a command answers as JSON."""
        result = self.invoke(*line, "--json")
        assert result.exit_code == code, (result.output, result.exception)
        return json.loads(result.stdout)

    def run(self, *options: str) -> str:
        return str(self.ask("run", "create", "--goal=refactor auth", *options)["id"])

    def types(self, run_id: str) -> list[str]:
        return [event["type"] for event in self.ask("run", "events", run_id)]


@pytest.fixture
def terminal(database_url: str, clock: HandClock, new_id: NewId) -> Terminal:
    return Terminal(database_url, clock, new_id)


def test_a_run_goes_from_start_to_end(terminal: Terminal) -> None:
    assert terminal.ask("run", "current", code=1) == {"found": False}
    run_id = terminal.run("--phases=draft,published", "--token-budget=1000")
    assert terminal.ask("run", "current") == {
        "found": True, "id": run_id, "phase": "draft", "goal": "refactor auth",
    }  # fmt: skip
    assert "○○ draft (1 of 2)" in terminal.say("run", "status")
    assert "refactor auth · ○○ draft · 0 % of 1 k" in terminal.say("run", "list")
    assert "is complete" in terminal.say("run", "advance", run_id)
    assert terminal.ask("run", "list", "--active") == []
    assert "completed" in terminal.say("run", "advance", run_id, code=1)
    assert terminal.ask("run", "rollback", run_id, "--to-phase=draft")["to_phase"] == "draft"
    assert terminal.types(run_id) == ["advance", "rollback"]


def test_gates_are_checked_blocked_released_and_overridden(terminal: Terminal) -> None:
    run_id = terminal.run()
    check = terminal.ask("gate", "check", run_id, code=1)
    assert (check["result"], check["tier"], check["from_phase"]) == ("fail", "soft", "brainstorm")
    assert check["evidence"]["conditions"][0]["check"] == "artifact_exists"
    assert "no artifact for brainstorm" in terminal.say("run", "advance", run_id, code=1)
    terminal.say("run", "artifact", "add", run_id, "--path=docs/idea.md")
    assert terminal.say("gate", "check", run_id) == "brainstorm → brainstorm-reviewed: open."
    assert "legal has to look" in terminal.say("gate", "block", run_id, "--reason=legal has to look")
    terminal.say("run", "advance", run_id, "--disable-gates", code=1)
    terminal.say("gate", "release", run_id)
    terminal.say("run", "advance", run_id)
    moved = terminal.ask("gate", "override", run_id, "--reason=fine", "--justified")
    assert (moved["from_phase"], moved["to_phase"]) == ("brainstorm-reviewed", "strategized")
    assert terminal.types(run_id) == ["block", "block", "block", "set", "advance", "override"]
    assert "review → polish: verdict_exists" in terminal.say("gate", "rules")


def test_a_paused_run_goes_on_with_a_reason(terminal: Terminal) -> None:
    run_id = terminal.run('--phases=["a","b","c"]', "--no-auto-advance")
    assert terminal.ask("run", "advance", run_id, code=1)["event_type"] == "pause"
    assert terminal.ask("run", "advance", run_id, "--skip-reason=ana said so")["advanced"] is True
    terminal.say("run", "set", run_id, "--auto-advance=true", "--complexity=5")
    status = terminal.ask("run", "status", run_id)
    assert (status["auto_advance"], status["complexity"]) == (True, 5)
    assert "No settings to update" in terminal.say("run", "set", run_id, code=1)
    terminal.say("run", "cancel", run_id, "--reason=no need")
    assert terminal.types(run_id) == ["pause", "advance", "set", "cancel"]


def test_spending_crosses_the_budget(terminal: Terminal) -> None:
    run_id = terminal.run("--token-budget=1000")
    terminal.say("run", "spend", run_id, "700", "--output=100")
    assert terminal.ask("run", "budget", run_id)["warning"] is True
    assert "200 tokens spent; 1 k so far, 100 % of 1 k." in terminal.say("run", "spend", run_id, "200")
    assert terminal.ask("run", "budget", run_id, code=1)["usage_pct"] == 100
    assert terminal.ask("run", "tokens", run_id)["total_tokens"] == 1000
    assert "500 more" in terminal.say("run", "extend", run_id)
    assert terminal.types(run_id) == ["budget.warning", "budget.exceeded", "set"]


def test_agents_and_verdicts_open_their_gates(terminal: Terminal) -> None:
    run_id = terminal.run("--phases=executing,review,polish,end")
    agent = terminal.ask("run", "agent", "add", run_id, "--type=codex", "--name=one")["id"]
    assert "1 agent still at work" in terminal.say("run", "advance", run_id, code=1)
    terminal.say("run", "agent", "update", agent, "--status=completed")
    assert terminal.ask("run", "agent", "list", run_id)[0]["status"] == "completed"
    terminal.say("run", "advance", run_id)
    assert "no review verdict yet" in terminal.say("run", "advance", run_id, code=1)
    terminal.say("review", "add", run_id, "--verdict=needs-changes", "--findings=2", "--summary=two things")
    assert "needs-changes (2 findings): two things" in terminal.say("review", "summary", run_id)
    terminal.say("run", "advance", run_id)
    terminal.say("run", "skip", run_id, "polish", "--reason=x", code=1)


def test_stored_artifacts_are_read_from_the_file_named(terminal: Terminal, tmp_path: Path) -> None:
    run_id = terminal.run()
    spec, huge = tmp_path / "spec.md", tmp_path / "huge.md"
    spec.write_text("# spec")
    huge.write_bytes(b"x" * (1024 * 1024 + 1))
    terminal.say("run", "artifact", "add", run_id, "--path=spec.md", f"--content={spec}", "--type=spec")
    assert terminal.ask("run", "artifact", "list", run_id)[0]["type"] == "spec"
    add = ("run", "artifact", "add", run_id, "--path=huge.md", f"--content={huge}")
    assert "is larger than 1024 KB" in terminal.say(*add, code=1)


def test_issues_are_driven_as_with_bd(terminal: Terminal) -> None:
    first = terminal.ask("issue", "create", "Fix login", "-p", "P0", "-t", "bug", "-l", "auth,web")["id"]
    second = terminal.ask("issue", "create", "Ship it", "-d", "all of it")["id"]
    assert terminal.say("issue", "dep", "add", second, first) == f"{second} waits for {first}."
    assert terminal.say("issue", "dep", "add", second, first) == f"{second} waits for {first} already."
    assert [issue["id"] for issue in terminal.ask("issue", "ready")] == [first]
    terminal.say("issue", "update", first, "--status=in_progress", "--append-notes=half way")
    assert terminal.ask("issue", "show", first)[0]["notes"] == "half way"
    assert "Ready now: “Ship it”." in terminal.say("issue", "close", first, "-r", "done")
    assert [issue["id"] for issue in terminal.ask("issue", "list")] == [second]
    assert len(terminal.ask("issue", "list", "--status=all")) == 2
    assert terminal.ask("issue", "search", "login") == []
    assert len(terminal.ask("issue", "search", "login", "--status=closed")) == 1
    terminal.say("issue", "dep", "remove", second, first)


def test_discoveries_are_triaged(terminal: Terminal) -> None:
    submit = ("discovery", "submit", "--title=Leak", "--source=arxiv", "--source-id=1", "--score=0.9")
    found = terminal.ask(*submit)
    assert "Known already" in terminal.say(*submit) or found["confidence_tier"] == "high"
    bead = terminal.ask("discovery", "promote", found["id"])["bead_id"]
    assert terminal.ask("issue", "show", bead)[0]["title"] == "Leak"
    other = terminal.ask("discovery", "submit", "--title=Noise")["id"]
    assert "Dismissed" in terminal.say("discovery", "dismiss", other)
    assert [item["id"] for item in terminal.ask("discovery", "list", "--status=promoted")] == [found["id"]]


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (["run", "status", "nope"], 1, "There is no run nope."),
        (["run", "status", "../x"], 1, "run_id is not a valid name or id"),
        (["issue", "create", "x" * 501], 1, "title has more than 500 characters"),
        (["issue", "create", "\udcff"], 2, "is not valid UTF-8"),
        (["issue", "create"], 2, "Missing argument"),
        (["run", "create", "--goal=x", "--phases=a"], 1, "at least two"),
        (["run", "create", "--goal=x", "--phases=[1"], 1, "That is no JSON"),
        (["run", "create", "--goal=x", "--gates=[]"], 1, "Gate rules are an object"),
        (["run", "create", "--goal=  "], 1, "title must not be empty"),
        (["run", "create", "--goal=x", "--complexity=9"], 2, "9 is not in the range"),
        (["gate", "override", "nope", "--reason=x"], 1, "There is no run nope."),
        (["nonsense"], 2, "No such command"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_right_exit_code(
    terminal: Terminal, line: list[str], code: int, words: str
) -> None:
    assert words in terminal.say(*line, code=code)


def test_errors_are_json_too(terminal: Terminal) -> None:
    assert terminal.ask("run", "status", "nope", code=1) == {"error": "There is no run nope."}


def test_every_command_has_help_and_json(terminal: Terminal) -> None:
    def commands(group: click.Group, path: tuple[str, ...]) -> list[tuple[str, ...]]:
        found: list[tuple[str, ...]] = []
        for name, command in group.commands.items():
            here = (*path, name)
            found += commands(command, here) if isinstance(command, click.Group) else [here]
        return found

    paths = commands(terminal._group, ())
    assert len(paths) > 35
    for path in paths:
        text = terminal.say(*path, "--help")
        assert "--json" in text
        assert len(text.splitlines()[2].strip()) > 10


class StepClock:
    """Does one thing each time somebody sleeps; ends the last sleep as an interrupted terminal would."""

    def __init__(self, clock: HandClock, *steps: Callable[[], Awaitable[object]]) -> None:
        self._clock = clock
        self._steps = iter(steps)

    def now(self) -> datetime:
        return self._clock.now()

    async def sleep(self, seconds: float) -> None:
        step = next(self._steps, None)
        if step is None:
            raise KeyboardInterrupt
        await step()


def test_following_prints_each_event_as_it_comes(
    database_url: str, clock: HandClock, new_id: NewId, terminal: Terminal
) -> None:
    run_id, other = terminal.run(), terminal.run()
    terminal.say("run", "advance", run_id, code=1)

    async def happen() -> None:
        async with Database.open(database_url, size=1) as database:
            ana = Driver(EmbeddedKernel(database, clock), new_id, actor="ana")
            await ana.advance(other)
            await ana.write("approve_gate", run_id=run_id, reason="fine")

    async def nothing() -> None:
        await asyncio.sleep(0)

    following = Terminal(database_url, StepClock(clock, nothing, happen, nothing), new_id)
    result = following.invoke("events", "tail", run_id, "--follow")
    (line,) = [json.loads(line) for line in result.stdout.splitlines() if line]
    assert (line["type"], line["run_id"], line["source"]) == ("override", run_id, "phase")
    assert "was held at the gate" in terminal.say("events", "tail")


def test_a_portfolio_is_started_listed_and_limited(terminal: Terminal) -> None:
    made = terminal.ask(
        "run", "create", "--goal=one login everywhere", "--phases=a,b", "--projects=api, web",
        "--max-dispatches=1",
    )  # fmt: skip
    api, web = made["children"]
    assert [each["id"] for each in terminal.ask("run", "list", "--portfolio")] == [made["id"]]
    status = terminal.ask("run", "status", made["id"])
    assert {child["id"]: child["project_dir"] for child in status["children"]} == {api: "api", web: "web"}
    terminal.say("run", "agent", "add", api, "--type=codex")
    assert "1 agent of 1 at work" in terminal.say("run", "agent", "add", web, "--type=codex", code=1)
    terminal.say("run", "set", made["id"], "--max-dispatches=2")
    terminal.say("run", "agent", "add", web, "--type=codex")
    assert "Only a portfolio" in terminal.say("run", "set", api, "--max-dispatches=2", code=1)
    assert "2 runs of its projects" in terminal.say("run", "cancel", made["id"])
    assert "different projects" in terminal.say("run", "create", "--goal=x", "--projects=api", code=1)


def test_a_log_whose_readers_nobody_knows_is_not_pruned(terminal: Terminal) -> None:
    assert "Nobody knows who still reads" in terminal.say("events", "prune", "--older-than=30d", code=1)
    for span in ("0d", "30", "30m", "soon"):
        assert "number of hours" in terminal.say("events", "prune", f"--older-than={span}", code=1)
