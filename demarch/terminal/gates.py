"""`gate …`: what people know from `ic gate`, and closing one by hand."""

from collections.abc import Sequence

import click

from demarch.embedded import moves, runs
from demarch.embedded.ledger import Change
from demarch.embedded.reads import Reading
from demarch.embedded.writes import outcome_of
from demarch.errors import InvalidCall
from demarch.gates import DEFAULT_RULES, Rule, rules_from, tier_of
from demarch.kernel import Outcome
from demarch.phrases import listing, one_line
from demarch.telling import runs as tell
from demarch.terminal.shell import Answer, Session, answered, command


@click.group("gate", help="What stands between two phases.")
def gate() -> None: ...


@command(gate, "check")
@click.argument("run_id", metavar="RUN")
@click.option("--priority", type=click.IntRange(0), default=3, help="0-1 hard, 2-3 soft, 4 no gate.")
async def check(session: Session, run_id: str, priority: int) -> Answer:
    """Say how the gate ahead stands; nothing is recorded."""

    async def read(at: Reading) -> Outcome:
        row = await runs.get(at.db, run_id)
        if row["status"] != "active":
            raise InvalidCall(f"The run is {row['status']}; no gate is ahead of it.")
        found = await moves.check(at.db, row, tier_of(priority))
        return Outcome(text=tell.checked(found), data=found.data(row["id"]))

    outcome = await session.kernel.look(read)
    return answered(outcome, failed=outcome.data["result"] == "fail")


@command(gate, "override")
@click.argument("run_id", metavar="RUN")
@click.option("--reason", required=True)
@click.option("--justified", "category", flag_value="justified")
@click.option("--expedient", "category", flag_value="expedient")
async def override(session: Session, run_id: str, reason: str, category: str | None) -> Answer:
    """Let a run through its gate whatever the checks say."""

    async def work(change: Change) -> Outcome:
        row = await runs.lock_active(change, run_id)
        chosen = category or "uncategorized"
        return outcome_of(await moves.override(change, row, reason=one_line(reason), category=chosen))

    return answered(await session.change(work))


@command(gate, "block")
@click.argument("run_id", metavar="RUN")
@click.option("--reason", required=True)
async def block(session: Session, run_id: str, reason: str) -> Answer:
    """Close a run's gate by hand: it asks for a decision and stays closed until overridden or released."""

    async def work(change: Change) -> Outcome:
        return outcome_of(await moves.block(change, await runs.lock_active(change, run_id), reason))

    return answered(await session.change(work))


@command(gate, "release")
@click.argument("run_id", metavar="RUN")
async def release(session: Session, run_id: str) -> Answer:
    """Take back what `gate block` did."""

    async def work(change: Change) -> Outcome:
        row = await moves.release(change, await runs.lock_active(change, run_id))
        return Outcome(text=f"The gate is no longer held. (run {row['id']})", data=runs.run_data(row))

    return answered(await session.change(work))


@command(gate, "rules")
@click.option("--run", "run_id")
async def rules(session: Session, run_id: str | None) -> Answer:
    """List which checks stand between which phases."""

    async def read(at: Reading) -> Outcome:
        own = (await runs.get(at.db, run_id))["gates"] if run_id else None
        merged = {**DEFAULT_RULES, **(rules_from(own) if own else {})}
        data = [{"from": way[0], "to": way[1], "checks": _checks(found)} for way, found in merged.items()]
        lines = [f"{way[0]} → {way[1]}: {listing([r.check for r in found])}" for way, found in merged.items()]
        return Outcome(text="\n".join(lines), data={"rules": data})

    return answered(await session.kernel.look(read), of="rules")


def _checks(rules: Sequence[Rule]) -> list[dict[str, str]]:
    return [
        {"check": rule.check}
        | ({"phase": rule.phase} if rule.phase else {})
        | ({"tier": rule.tier.value} if rule.tier else {})
        for rule in rules
    ]
