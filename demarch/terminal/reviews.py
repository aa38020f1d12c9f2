"""`review …`: verdicts of reviewers."""

import click

from demarch.embedded import artifacts
from demarch.embedded.artifacts import VERDICTS, NewVerdict
from demarch.embedded.ledger import Change
from demarch.kernel import Outcome
from demarch.phrases import one_line
from demarch.telling import findings as tell
from demarch.terminal.shell import Answer, Session, answered, command


@click.group("review", help="What reviewers found.")
def review() -> None: ...


@command(review, "add")
@click.argument("run_id", metavar="RUN")
@click.option("--reviewer", default="review", show_default=True)
@click.option("--verdict", type=click.Choice(VERDICTS), required=True)
@click.option("--findings", type=click.IntRange(0, 10_000), default=0, show_default=True)
@click.option("--summary", default="")
async def add(
    session: Session, run_id: str, reviewer: str, verdict: str, findings: int, summary: str
) -> Answer:
    """Record a verdict about the phase a run is in."""
    new = NewVerdict(
        reviewer=one_line(reviewer, 64), verdict=verdict, findings=findings, summary=one_line(summary, 4000)
    )

    async def work(change: Change) -> Outcome:
        data = artifacts.verdict_data(await artifacts.add_verdict(change, run_id, new))
        return Outcome(text=tell.verdict(data, change.now), data=data)

    return answered(await session.change(work))


@command(review, "summary")
@click.argument("run_id", metavar="[RUN]", required=False)
async def summary(session: Session, run_id: str | None) -> Answer:
    """Show the latest verdicts."""
    return answered(await session.call("review_summary", run_id=run_id), of="verdicts")
