"""More budget, where no command gives a run more tokens: a portfolio may start more agents, any other run is
continued by a new one with a larger budget, which starts where the old one stands and takes its place.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from demarch import parameters as takes
from demarch.cli import runs
from demarch.cli.commands import command, flagged
from demarch.cli.evidence import Said, Work, done
from demarch.cli.history import history
from demarch.cli.marks import printable
from demarch.cli.parsing import Data, complaint, line_of, number_of, plain, text_of
from demarch.cli.starting import started, started_with
from demarch.cli.steering import Steering
from demarch.cli.trail import newest
from demarch.errors import EvidenceUnknown, NotPossible
from demarch.kernel import Extension, Outcome
from demarch.parameters import EXTENSION, TITLE
from demarch.phrases import quoted
from demarch.telling import runs as tell

_CONTINUES = re.compile(r" \(continues run [a-z0-9]+\)$")
_ARROW = "→"


class Extend(Steering):
    async def see(self, params: takes.RunAction) -> Mapping[str, Any]:
        assert isinstance(params, takes.ExtendBudget)  # noqa: S101 - by the operations table
        data = await self.active(params.run_id)
        seen: dict[str, Any] = {
            "id": text_of(data, "id"),
            "phase": line_of(data, "phase"),
            "mark": newest(await history(self._runner, text_of(data, "id"))),
        }
        if runs.run_of(data).extension is Extension.DISPATCHES:
            return seen | _dispatches(data, params)
        return seen | _follow_up(data, params)

    async def act(self, work: Work) -> Said | None:
        return await (self._raise(work) if work.seen["way"] == "dispatches" else self._continue(work))

    async def settle(self, work: Work, said: Said | None) -> Outcome | None:
        if work.seen["way"] == "dispatches":
            return await self._raised(work, said)
        return await self._continued(work, said)

    async def _raise(self, work: Work) -> Said | None:
        told = command("run.set", work.seen["id"], max_dispatches=work.seen["target"])
        result = await done(self._runner, told)
        if result.code:
            raise await self.refuse(work, complaint(result.out, result.err))
        return {"updated": True} if plain(result.out) == "updated" else None

    async def _raised(self, work: Work, said: Said | None) -> Outcome | None:
        data, target = await runs.get(self._runner, work.seen["id"]), work.seen["target"]
        now = number_of(data, "max_dispatches")
        if said is None and now != target:
            if now == work.seen["was"]:
                return None
            raise EvidenceUnknown(
                f"The limit of the run was changed to {now} in the meantime; "
                "nobody can say whether it was raised before."
            )
        await self.announce(work, "extended")
        answer = {
            "run_id": work.seen["id"],
            "extension": Extension.DISPATCHES.value,
            "max_dispatches": target,
        }
        return Outcome(text=tell.widened(runs.run_of(data), target), data=answer)

    async def _continue(self, work: Work) -> Said | None:
        data, seen = await runs.get(self._runner, work.seen["id"]), work.seen
        phases: Sequence[str] = seen["phases"]
        told = command(
            "run.create",
            goal=seen["goal"],
            scope_id=work.name,
            complexity=number_of(data, "complexity", 3) or 3,
            token_budget=seen["budget"],
            budget_warn_pct=number_of(data, "budget_warn_pct") or None,
            phases=json.dumps(phases) if phases else None,
            gates=_gates(data, phases),
            metadata=json.dumps(
                {"source": "intercom", "by": printable(work.actor, 200), "continues": seen["id"]},
                ensure_ascii=False,
            ),
        )
        return await started(
            self._runner, flagged(told, "budget-enforce") if data.get("budget_enforce") else told
        )

    async def _continued(self, work: Work, said: Said | None) -> Outcome | None:
        new = text_of(said, "id") if said else await started_with(self._runner, work)
        if new is None:
            return None
        await self._end(work)
        await self.announce(work, "extended")
        run = runs.run_of(await runs.get(self._runner, new))
        answer = {
            "run_id": work.seen["id"], "extension": Extension.FOLLOW_UP.value, "id": new,
            "continues": work.seen["id"], "budget": work.seen["budget"], "more": work.seen["more"],
        }  # fmt: skip
        return Outcome(text=tell.continued(run), data=answer)

    async def _end(self, work: Work) -> None:
        """The old run makes room. One that ended by itself in the meantime needs no end."""
        data = await runs.get(self._runner, work.seen["id"])
        if text_of(data, "status") == "active":
            await self._runner.ask(command("run.cancel", work.seen["id"]))


def _dispatches(data: Data, params: takes.ExtendBudget) -> dict[str, Any]:
    limit, budget = number_of(data, "max_dispatches"), number_of(data, "token_budget")
    if not limit:
        raise NotPossible(f"The portfolio {quoted(text_of(data, 'goal'))} has no limit that could be raised.")
    if params.tokens and not budget:
        raise NotPossible(
            f"The portfolio {quoted(text_of(data, 'goal'))} counts agents, not tokens; give a percentage."
        )
    percent = params.tokens * 100 // budget if params.tokens else params.percent or EXTENSION
    return {"way": "dispatches", "was": limit, "target": limit + max(1, limit * percent // 100)}


def _follow_up(data: Data, params: takes.ExtendBudget) -> dict[str, Any]:
    budget, run_id = number_of(data, "token_budget"), text_of(data, "id")
    if not budget:
        raise NotPossible(
            f"The run {quoted(text_of(data, 'goal'))} has no token budget that could be extended."
        )
    more = params.tokens or max(1, budget * (params.percent or EXTENSION) // 100)
    chain, suffix = runs.chain(data), f" (continues run {run_id})"
    ahead = chain[chain.index(line_of(data, "phase")) :]
    goal = _CONTINUES.sub("", printable(text_of(data, "goal"), TITLE))[: TITLE - len(suffix)]
    return {
        "way": "follow-up", "budget": budget + more, "more": more, "goal": goal + suffix,
        "phases": list(ahead) if len(ahead) > 1 else [],
    }  # fmt: skip


def _gates(data: Data, phases: Sequence[str]) -> str | None:
    """The run's own gate rules, as far as they stand between phases that are still ahead."""
    rules = data.get("gate_rules")
    if not isinstance(rules, dict):
        return None
    ahead = {
        way: rule for way, rule in rules.items() if all(part in phases for part in str(way).split(_ARROW, 1))
    }
    return json.dumps(ahead, ensure_ascii=False) if ahead else None
