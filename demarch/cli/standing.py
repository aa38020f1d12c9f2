"""How a run's gate stands and what people decided about it, read without changing anything."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from demarch.cli.commands import command
from demarch.cli.older import if_known
from demarch.cli.parsing import Data, line_of, moment_of, number_of, objects, text_of
from demarch.cli.process import Runner
from demarch.gates import GateCheck, Tier
from demarch.phases import next_phase

DECISION = "gate-decision"  #: the state under which a decision is kept, scoped by the run
_HARD = 1  #: the priority with which a run advances unless told otherwise


async def check(runner: Runner, run_id: str) -> GateCheck | None:
    """How the gate ahead stands; None where there is no gate to check any more."""
    found = objects((await runner.ask(command("gate.check", run_id, priority=_HARD))).out)
    return gate_of(found[0]) if found and line_of(found[0], "from_phase") else None


def gate_of(data: Mapping[str, Any]) -> GateCheck:
    evidence = data.get("evidence")
    conditions = evidence.get("conditions") if isinstance(evidence, dict) else None
    tier = line_of(data, "tier")
    return GateCheck(
        from_phase=line_of(data, "from_phase"),
        to_phase=line_of(data, "to_phase"),
        result=line_of(data, "result") or "none",
        tier=Tier(tier) if tier in set(Tier) else Tier.NONE,
        source=line_of(data, "source") or "default",
        conditions=tuple(c for c in conditions if isinstance(c, dict))
        if isinstance(conditions, list)
        else (),
    )


def unchecked(phases: tuple[str, ...], phase: str) -> GateCheck:
    """Stands in where nothing can be checked."""
    ahead = next_phase(phases, phase) if phase in phases else None
    return GateCheck(from_phase=phase, to_phase=ahead or phase, result="none", tier=Tier.NONE)


async def decision(runner: Runner, data: Mapping[str, Any]) -> Data | None:
    """The latest decision about a run's gate, whichever phase it was about."""
    result = await if_known(runner, command("state.get", DECISION, text_of(data, "id")))
    found = objects(result.out) if result and result.code == 0 else ()
    if not found or not line_of(found[0], "decision"):
        return None
    kept = {name: line_of(found[0], name, 1000) for name in ("decision", "run_id", "from_phase", "to_phase")}
    at = moment_of(found[0], "at")
    return kept | {
        "reason": text_of(found[0], "reason"),
        "by": text_of(found[0], "by"),
        "at": int(at.timestamp()) if at else number_of(data, "updated_at"),
        "key": line_of(found[0], "key", 200),
    }


def still_says(made: Data | None, data: Mapping[str, Any], since: datetime | None) -> Data | None:
    """The decision if it is about the phase the run is in, since it is there, and did not let it pass."""
    if made is None or made["from_phase"] != text_of(data, "phase") or made["decision"] == "approved":
        return None
    return made if since is None or made["at"] >= int(since.timestamp()) else None
