"""`discovery …`: findings submitted, listed, promoted, dismissed."""

import click

from demarch import parameters as takes
from demarch.calls import parse
from demarch.embedded import discoveries
from demarch.embedded.ledger import Change
from demarch.embedded.reads import Reading
from demarch.kernel import Outcome
from demarch.telling import findings as tell
from demarch.terminal.shell import Answer, Session, answered, command


@click.group("discovery", help="Findings and insights.")
def discovery() -> None: ...


@command(discovery, "submit")
@click.option("--title", required=True)
@click.option("--source", default="cli", show_default=True)
@click.option("--source-id", help="The same source and id are kept once.")
@click.option("--summary")
@click.option("--url")
@click.option("--score", type=float)
async def submit(session: Session, /, source_id: str | None, **given: str | float | None) -> Answer:
    """Register a finding."""
    call = parse("register_finding", given)

    async def work(change: Change) -> Outcome:
        params = takes.RegisterFinding.model_validate(call.params)
        row, new = await discoveries.submit(change, params, source_id=source_id)
        data = discoveries.discovery_data(row)
        return Outcome(text=tell.registered(data, new), data=data)

    return answered(await session.change(work))


@command(discovery, "list")
@click.option("--status", default="")
@click.option("--source", default="")
@click.option("--limit", "-n", type=click.IntRange(1, 100), default=50, show_default=True)
async def list_(session: Session, status: str, source: str, limit: int) -> Answer:
    """List findings, newest first."""

    async def read(at: Reading) -> Outcome:
        found = await discoveries.listed(at.db, status, source, limit)
        text = tell.discoveries(found, "There are no such discoveries.")
        return Outcome(text=text, data={"discoveries": list(found)})

    return answered(await session.kernel.look(read), of="discoveries")


@command(discovery, "promote")
@click.argument("discovery_id", metavar="ID")
@click.option("--bead-id", help="Attach it to this issue instead of filing one.")
async def promote(session: Session, discovery_id: str, bead_id: str | None) -> Answer:
    """Make an issue of a finding."""

    async def work(change: Change) -> Outcome:
        data = discoveries.discovery_data(await discoveries.promote(change, discovery_id, bead_id))
        return Outcome(text=tell.triaged(data), data=data)

    return answered(await session.change(work))


@command(discovery, "dismiss")
@click.argument("discovery_id", metavar="ID")
async def dismiss(session: Session, discovery_id: str) -> Answer:
    """Put a finding away."""

    async def work(change: Change) -> Outcome:
        data = discoveries.discovery_data(await discoveries.dismiss(change, discovery_id))
        return Outcome(text=tell.triaged(data), data=data)

    return answered(await session.change(work))
