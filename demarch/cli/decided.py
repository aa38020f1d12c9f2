"""Decisions of people, kept in the kernel too: as state that can be read back, and in its event log."""

import json
from collections.abc import Mapping
from typing import Any

import structlog

from demarch.cli.commands import command
from demarch.cli.evidence import Work
from demarch.cli.failures import Failed
from demarch.cli.marks import printable
from demarch.cli.parsing import Data, objects, text_of
from demarch.cli.process import Runner
from demarch.cli.standing import DECISION
from demarch.errors import KernelUnavailable

log = structlog.get_logger()

WITHHELD = "(a reason that looks like it holds a secret)"

Decision = Mapping[str, Any]


def decision(work: Work, how: str, run_id: str, here: str, there: str) -> Decision:
    """The same whenever it is written: what is kept twice is kept once."""
    return {
        "decision": how,
        "run_id": run_id,
        "from_phase": here,
        "to_phase": there,
        "reason": printable(work.params.reason),
        "by": printable(work.actor, 200),
        "at": int(work.begun_at.timestamp()),
        "key": work.name,
    }


async def keep(runner: Runner, made: Decision) -> Decision:
    """Write it down as the run's latest decision; what was written."""
    try:
        await runner.ask(_state(made))
    except Failed as error:
        if "secret" not in str(error).lower():
            raise
        made = {**made, "reason": WITHHELD}
        await runner.ask(_state(made))
    return made


def _state(made: Decision) -> Any:
    return command("state.set", DECISION, str(made["run_id"]), stdin=_json(made).encode())


async def kept(runner: Runner, run_id: str) -> Data | None:
    """The latest decision, as it was written."""
    result = await runner.ask(command("state.get", DECISION, run_id))
    found = objects(result.out) if result.code == 0 else ()
    return found[0] if found and text_of(found[0], "decision") else None


async def announce(runner: Runner, kind: str, made: Decision) -> None:
    """Into the event log, once per key. The deed is done by then: a log that fails does not fail it."""
    payload = {"agent_name": "intercom", "override_reason": made["reason"], "context": _json(made)}
    try:
        await runner.ask(
            command(
                "events.record",
                source="interspect",
                type=kind,
                run=str(made["run_id"]),
                idempotency_key=str(made["key"]),
                payload=_json(payload),
            )
        )
    except KernelUnavailable as error:
        log.warning("decision.unannounced", kind=kind, run=made["run_id"], reason=str(error))


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
