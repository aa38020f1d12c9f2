"""`run …`: what people know from `ic run`."""

from typing import Any

import click

from demarch.embedded import budgets, moves, portfolios, runs
from demarch.embedded.ledger import Change
from demarch.embedded.reads import Reading
from demarch.embedded.writes import outcome_of
from demarch.errors import InvalidCall
from demarch.gates import Tier, tier_of
from demarch.kernel import Outcome
from demarch.phrases import bar, one_line, tokens
from demarch.telling import runs as tell
from demarch.terminal.run_parts import agent, artifact
from demarch.terminal.shell import Answer, Session, answered, command
from demarch.terminal.starting import create, json_of

REASON = click.option("--reason", default="", help="Why; kept in the log.")


@click.group("run", help="Runs (sprints).")
def run() -> None: ...


run.add_command(create)
run.add_command(artifact)
run.add_command(agent)


@command(run, "list")
@click.option("--active", is_flag=True)
@click.option("--portfolio", is_flag=True, help="Portfolios only.")
async def list_(session: Session, active: bool, portfolio: bool) -> Answer:
    """List runs, the youngest first."""

    async def read(at: Reading) -> Outcome:
        rows = await (portfolios if portfolio else runs).listed(at.db, active=active)
        text = tell.listed([runs.run_of(row) for row in rows])
        return Outcome(text=text, data={"runs": [runs.run_data(row) for row in rows]})

    return answered(await session.kernel.look(read), of="runs")


@command(run, "status")
@click.argument("run_id", metavar="[ID]", required=False)
async def status(session: Session, run_id: str | None) -> Answer:
    """Show a run; without an id the current one."""
    outcome = await session.call("run_status", run_id=run_id)
    return answered(outcome, failed=not outcome.data["found"])


@command(run, "current")
@click.option("--project", default="")
async def current(session: Session, project: str) -> Answer:
    """Say which run is the current one."""

    async def read(at: Reading) -> Outcome:
        row = await runs.current(at.db, project)
        if row is None:
            return Outcome(text="No run is active.", data={"found": False})
        data = {"found": True, "id": row["id"], "phase": row["phase"], "goal": row["goal"]}
        return Outcome(text=tell.line(runs.run_of(row)), data=data)

    outcome = await session.kernel.look(read)
    return answered(outcome, failed=not outcome.data["found"])


@command(run, "advance")
@click.argument("run_id", metavar="ID")
@click.option("--priority", type=click.IntRange(0), default=1, help="0-1 hard, 2-3 soft, 4 no gate.")
@click.option("--disable-gates", is_flag=True)
@click.option("--skip-reason", default="", help="Lets a paused run go on.")
async def advance(
    session: Session,
    run_id: str,
    priority: int,
    disable_gates: bool,
    skip_reason: str,
) -> Answer:
    """Try to move a run to its next phase."""
    tier = Tier.NONE if disable_gates else tier_of(priority)

    async def work(change: Change) -> Outcome:
        row = await runs.lock_active(change, run_id)
        return outcome_of(await moves.advance(change, row, tier=tier, skip_reason=one_line(skip_reason)))

    outcome = await session.change(work)
    return answered(outcome, failed=not outcome.data["advanced"])


@command(run, "skip")
@click.argument("run_id", metavar="ID")
@click.argument("phase")
@click.option("--reason", required=True)
async def skip(session: Session, run_id: str, phase: str, reason: str) -> Answer:
    """Mark a phase ahead as skipped."""

    async def work(change: Change) -> Outcome:
        row = await moves.skip(change, await runs.lock_active(change, run_id), phase, one_line(reason))
        return Outcome(text=f"{phase} will be skipped. (run {row['id']})", data=runs.run_data(row))

    return answered(await session.change(work))


@command(run, "rollback")
@click.argument("run_id", metavar="ID")
@click.option("--to-phase", required=True)
@REASON
async def rollback(session: Session, run_id: str, to_phase: str, reason: str) -> Answer:
    """Move a run back to an earlier phase."""

    async def work(change: Change) -> Outcome:
        row = await runs.lock(change, run_id)
        return outcome_of(await moves.rollback(change, row, to_phase, one_line(reason)))

    return answered(await session.change(work))


@command(run, "cancel")
@click.argument("run_id", metavar="ID")
@REASON
async def cancel(session: Session, run_id: str, reason: str) -> Answer:
    """Stop a run for good."""
    return answered(await session.call("cancel_run", run_id=run_id, reason=reason))


@command(run, "set")
@click.argument("run_id", metavar="ID")
@click.option("--complexity", type=click.IntRange(1, 5))
@click.option("--auto-advance", type=bool)
@click.option("--force-full", type=bool)
@click.option("--max-dispatches", type=click.IntRange(0, 10_000), help="Of a portfolio; 0: no limit.")
@click.option("--metadata-merge", help="A JSON object.")
async def set_(session: Session, /, run_id: str, metadata_merge: str | None, **given: Any) -> Answer:
    """Change a run's settings."""
    metadata = None if metadata_merge is None else json_of(metadata_merge)
    if metadata is not None and not isinstance(metadata, dict):
        raise InvalidCall("Metadata is a JSON object.")

    async def work(change: Change) -> Outcome:
        row = await runs.set_(change, run_id, runs.Settings(metadata=metadata, **given))
        return Outcome(text=f"Settings changed. (run {row['id']})", data=runs.run_data(row))

    return answered(await session.change(work))


@command(run, "tokens")
@click.argument("run_id", metavar="ID")
async def tokens_(session: Session, run_id: str) -> Answer:
    """Show what a run has used."""

    async def read(at: Reading) -> Outcome:
        data = await budgets.tokens(at.db, run_id)
        used = f"{tokens(data['input_tokens'])} in, {tokens(data['output_tokens'])} out"
        return Outcome(text=f"{tokens(data['total_tokens'])} tokens: {used}. (run {run_id})", data=data)

    return answered(await session.kernel.look(read))


@command(run, "budget")
@click.argument("run_id", metavar="ID")
async def budget(session: Session, run_id: str) -> Answer:
    """Show a run's budget; exit code 1 when it is used up."""

    async def read(at: Reading) -> Outcome:
        data = budgets.usage_of(await runs.get(at.db, run_id))
        limit = data["budget"]
        text = f"{bar(data['used'], limit)} of {tokens(limit)} tokens" if limit else "No token budget"
        return Outcome(text=f"{text}. (run {data['run_id']})", data=data)

    outcome = await session.kernel.look(read)
    return answered(outcome, failed=bool(outcome.data.get("exceeded")))


@command(run, "extend")
@click.argument("run_id", metavar="ID")
@click.option("--tokens", type=click.IntRange(1, 10**12))
@click.option("--percent", type=click.IntRange(1, 1000))
@REASON
async def extend(session: Session, /, run_id: str, **given: Any) -> Answer:
    """Give a run more tokens (50 % more if nothing is said)."""
    return answered(await session.call("extend_budget", run_id=run_id, **given))


@command(run, "spend")
@click.argument("run_id", metavar="ID")
@click.argument("count", metavar="TOKENS", type=click.IntRange(0, 10**12))
@click.option("--output", type=click.IntRange(0, 10**12), default=0, help="Output tokens on top.")
@click.option("--agent-type", default="")
async def spend(session: Session, run_id: str, count: int, output: int, agent_type: str) -> Answer:
    """Record tokens that were used."""

    async def work(change: Change) -> Outcome:
        row = await budgets.spend(change, run_id, count, output, one_line(agent_type, 64))
        return Outcome(text=tell.spent(runs.run_of(row), count + output), data=budgets.usage_of(row))

    return answered(await session.change(work))


@command(run, "events")
@click.argument("run_id", metavar="ID")
@click.option("--limit", "-n", type=click.IntRange(1, 100), default=50, show_default=True)
async def events(session: Session, run_id: str, limit: int) -> Answer:
    """Show what happened to a run."""
    return answered(await session.call("run_events", run_id=run_id, limit=limit), of="events")
