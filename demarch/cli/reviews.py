"""Review verdicts: files that reviewers leave in the project, and what agents reported to the kernel.

Only files beneath the project are read, and no link is followed.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import structlog

from demarch.cli.beside import side_by_side
from demarch.cli.commands import command
from demarch.cli.older import if_known
from demarch.cli.parsing import Data, an_object, line_of, moment_of, number_of, objects, text_of
from demarch.cli.process import Runner
from demarch.errors import DemarchError
from demarch.files import names_beneath, read_beneath
from demarch.phrases import one_line

log = structlog.get_logger()

#: where verdicts lie, and what a name must have in it to be one
PLACES = (("docs/research/flux-drive", "verdict"), ("docs/research", "verdict"), (".clavain/verdicts", ""))
SHOWN = 10
_LARGEST = 256 * 1024
_READ = 60  #: so many files of each place
_WORDS = {
    "clean": "clean",
    "approve": "clean",
    "approved": "clean",
    "pass": "clean",
    "passed": "clean",
    "safe": "clean",
    "ready": "clean",
    "fail": "needs-changes",
    "warn": "needs-changes",
    "error": "error",
    "failed": "error",
    "needs_attention": "needs-changes",
    "needs_changes": "needs-changes",
    "blocked": "needs-changes",
    "risky": "needs-changes",
    "reject": "needs-changes",
    "rejected": "needs-changes",
}


async def verdicts(runner: Runner, run: Mapping[str, Any] | None, limit: int = SHOWN) -> Sequence[Data]:
    """The newest first; with a run those that are about no other one."""
    run_id = text_of(run, "id") if run else ""
    async with side_by_side() as group:
        left = group.create_task(asyncio.to_thread(lambda: list(_all(runner.folder))))
        told = group.create_task(_reported(runner, {run_id, text_of(run, "scope_id")})) if run else None
    found = [data for data in left.result() if not run or data["run_id"] in {run_id, ""}]
    found += [data | {"run_id": run_id} for data in told.result()] if told else []
    return sorted(found, key=lambda data: (-data["created_at"], data["id"]))[:limit]


async def _reported(runner: Runner, scopes: set[str]) -> Sequence[Data]:
    """What the kernel's own gates look at: verdicts of agents that worked under the run's scope."""
    result = await if_known(runner, command("dispatch.list"))
    agents = objects(result.out) if result else ()
    return [
        verdict_data(
            {
                "verdict": text_of(agent, "verdict_status"),
                "summary": agent.get("verdict_summary"),
                "reviewer": agent.get("name") or agent.get("agent_type"),
                "created_at": agent.get("completed_at") or agent.get("created_at"),
            },
            f"dispatch {line_of(agent, 'id')}",
            0,
        )
        for agent in agents
        if agent.get("scope_id") and text_of(agent, "scope_id") in scopes and agent.get("verdict_status")
    ]


def _all(folder: Path) -> Iterator[Data]:
    for place, sign in PLACES:
        names = [(name, at) for name, at in names_beneath(folder, place) if _is_verdict(name, sign)]
        for name, at in names[:_READ]:
            data = _one(folder, f"{place}/{name}", at)
            if data is not None:
                yield data


def _is_verdict(name: str, sign: str) -> bool:
    return name.endswith(".json") and not name.startswith(".") and sign in name.lower()


def _one(folder: Path, path: str, at: float) -> Data | None:
    """None for a file that cannot be read or says nothing."""
    try:
        content = read_beneath(folder, path, _LARGEST)
        return verdict_data(an_object(content.decode("utf-8", "replace")), path, at)
    except DemarchError as error:
        log.info("verdict.unreadable", path=one_line(path, 120), why=str(error))
        return None


def verdict_data(given: Mapping[str, Any], path: str, at: float) -> Data:
    """One verdict in the shape every kernel of ours uses, whoever wrote the file."""
    then = next(
        (m for m in (moment_of(given, name) for name in ("timestamp", "created_at", "date")) if m), None
    )
    findings = given.get("findings")
    return {
        "id": one_line(path, 200),
        "run_id": line_of(given, "run_id"),
        "phase": line_of(given, "phase") or "review",
        "reviewer": line_of(given, "reviewer") or line_of(given, "agent") or _named_by(path),
        "verdict": _word(given),
        "summary": text_of(given, "summary"),
        "findings": len(findings) if isinstance(findings, list) else number_of(given, "findings_count"),
        "created_at": int(then.timestamp() if then else at),
    }


def _word(given: Mapping[str, Any]) -> str:
    said = line_of(given, "verdict", 32) or line_of(given, "status", 32)
    return _WORDS.get(said.lower().replace("-", "_").replace(" ", "_"), said.lower()) or "error"


def _named_by(path: str) -> str:
    """Files are named after who reviewed: fd-safety.json, fd-safety-verdict.json."""
    stem = PurePosixPath(path).stem.lower().replace("verdict", "").strip("-_. ")
    return one_line(stem, 64) or "reviewer"
