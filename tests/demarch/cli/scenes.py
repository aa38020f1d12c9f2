"""Writes to be broken off: what each needs before, what it asks for, how often it shows to have been done."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from demarch.cli.commands import Command
from demarch.cli.process import Result, Runner
from demarch.cli.surroundings import surroundings
from tests.servers.kernels.project import Project

Arguments = Mapping[str, Any]
METADATA = {"close_gate": {"requirements": ["runtime-evidence/v1"], "bead_id": "iv-1"}}


class Hasty(Runner):
    """Waits for commands of the given words no longer than a test can."""

    def __init__(self, agency: Project, seconds: float = 1.0) -> None:
        super().__init__(agency.folder, surroundings(agency.environment, agency.home))
        self.seconds = seconds
        self.hurried: tuple[str, ...] = ()

    async def run(self, command: Command) -> Result:
        if command.row.words == self.hurried:
            command = replace(command, row=replace(command.row, timeout=self.seconds))
        return await super().run(command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One operation in a place where it can be done."""

    operation: str
    command: str  #: the words of the command that does the deed
    prepare: Callable[[Project], Awaitable[Arguments]]
    #: how often it was done, as the kernel's own records tell
    done: Callable[[Project, Arguments], Awaitable[int]]

    def __str__(self) -> str:
        return f"{self.operation}:{self.command}".replace(" ", "-")

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(self.command.split()[1:])


async def _run(agency: Project) -> Arguments:
    return {"run_id": await agency.run(), "reason": "Approved by Ana (tg:1)"}


async def _blocked(agency: Project) -> Arguments:
    run = await agency.run()
    await agency.advance(run)
    return {"run_id": run, "from_phase": "brainstorm", "to_phase": "brainstorm-reviewed", "cause": "block"}


async def _paused(agency: Project) -> Arguments:
    run = await agency.run()
    await agency.ic("run", "set", run, "--auto-advance=false")
    await agency.artifact(run, "brainstorm")
    await agency.advance(run)
    return {"run_id": run, "from_phase": "brainstorm", "to_phase": "brainstorm-reviewed", "cause": "pause"}


async def _waiting(agency: Project) -> Arguments:
    return {
        name: value for name, value in (await _paused(agency)).items() if name not in {"to_phase", "cause"}
    }


async def _budgeted(agency: Project) -> Arguments:
    return {"run_id": await agency.run(token_budget=1000), "percent": 100}


async def _portfolio(agency: Project) -> Arguments:
    made = await agency.ic("run", "create", "--goal=both", "--projects=/srv/a,/srv/b", "--max-dispatches=4")
    return {"run_id": made.json["id"]}


async def _issue(agency: Project) -> Arguments:
    return {"id": await agency.issue("Fix the login")}


async def _found(agency: Project) -> Arguments:
    return {"discovery_id": await agency.find("Tokens are never rotated", score=0.2)}


def _events(agency: Project, arguments: Arguments, *kinds: str) -> int:
    marks = ", ".join("?" for _ in kinds)
    query = f"SELECT count(*) FROM phase_events WHERE run_id = ? AND event_type IN ({marks})"  # noqa: S608
    return int(agency.sql(query, arguments["run_id"], *kinds)[0][0])


async def _moves(agency: Project, arguments: Arguments) -> int:
    return _events(agency, arguments, "advance", "override")


async def _cancels(agency: Project, arguments: Arguments) -> int:
    return _events(agency, arguments, "cancel")


async def _sets(agency: Project, arguments: Arguments) -> int:
    return _events(agency, arguments, "set")


async def _runs(agency: Project, arguments: Arguments) -> int:
    return int(agency.sql("SELECT count(*) FROM runs WHERE scope_id IS NOT NULL")[0][0])


async def _decisions(agency: Project, arguments: Arguments) -> int:
    kept = agency.sql("SELECT payload FROM state WHERE key = 'gate-decision'")
    logged = agency.sql("SELECT count(*) FROM interspect_events")[0][0]
    assert logged in (0, 1)
    return len([row for row in kept if json.loads(row[0])["decision"]])


async def _findings(agency: Project, arguments: Arguments) -> int:
    return int(
        agency.sql("SELECT count(*) FROM discovery_events WHERE event_type = 'discovery.submitted'")[0][0]
    )


async def _dismissals(agency: Project, arguments: Arguments) -> int:
    return int(
        agency.sql("SELECT count(*) FROM discovery_events WHERE event_type = 'discovery.dismissed'")[0][0]
    )


async def _promotions(agency: Project, arguments: Arguments) -> int:
    issues = [issue["id"] for issue in (await agency.bd("list", "--all")).json]
    promoted = agency.sql("SELECT bead_id FROM discoveries WHERE status = 'promoted'")
    assert [row[0] for row in promoted] == issues or not promoted
    return len(issues) if promoted else 0


async def _issues(agency: Project, arguments: Arguments) -> int:
    return len((await agency.bd("list", "--all")).json)


async def _notes(agency: Project, arguments: Arguments) -> int:
    issue = (await agency.bd("show", arguments["id"])).json[0]
    return str(issue.get("notes", "")).count("seen twice")


async def _closed(agency: Project, arguments: Arguments) -> int:
    return int((await agency.bd("show", arguments["id"])).json[0]["status"] == "closed")


async def _nothing(agency: Project) -> Arguments:
    return {"title": "Rotate tokens", "description": "They never are."}


async def _noted(agency: Project) -> Arguments:
    return {**await _issue(agency), "notes": "seen twice", "priority": 1}


async def _finding(agency: Project) -> Arguments:
    return {"title": "Tokens are never rotated", "source": "scout"}


SCENES = (
    Scene(operation="start_run", command="ic run create", prepare=_nothing, done=_runs),
    Scene(operation="approve_gate", command="ic gate override", prepare=_blocked, done=_moves),
    Scene(operation="approve_gate", command="ic run advance", prepare=_paused, done=_moves),
    Scene(operation="advance_phase", command="ic run advance", prepare=_waiting, done=_moves),
    Scene(operation="reject_gate", command="ic state set", prepare=_run, done=_decisions),
    Scene(operation="defer_gate", command="ic state set", prepare=_run, done=_decisions),
    Scene(operation="cancel_run", command="ic run cancel", prepare=_run, done=_cancels),
    Scene(operation="pause_run", command="ic run set", prepare=_run, done=_sets),
    Scene(operation="extend_budget", command="ic run create", prepare=_budgeted, done=_runs),
    Scene(operation="extend_budget", command="ic run set", prepare=_portfolio, done=_sets),
    Scene(operation="register_finding", command="ic discovery submit", prepare=_finding, done=_findings),
    Scene(operation="dismiss_discovery", command="ic discovery dismiss", prepare=_found, done=_dismissals),
    Scene(operation="promote_discovery", command="ic discovery promote", prepare=_found, done=_promotions),
    Scene(operation="promote_discovery", command="bd create", prepare=_found, done=_promotions),
    Scene(operation="create_issue", command="bd create", prepare=_nothing, done=_issues),
    Scene(operation="update_issue", command="bd update", prepare=_noted, done=_notes),
    Scene(operation="close_issue", command="bd close", prepare=_issue, done=_closed),
)
