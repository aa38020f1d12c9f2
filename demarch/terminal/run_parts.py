"""`run artifact …` and `run agent …`: what belongs to a run."""

from pathlib import Path

import click

from demarch.embedded import artifacts, portfolios, runs
from demarch.embedded.ledger import Change
from demarch.embedded.reads import Reading
from demarch.errors import InvalidCall
from demarch.files import LARGEST
from demarch.kernel import Outcome
from demarch.phrases import one_line
from demarch.telling import findings as tell
from demarch.terminal.shell import Answer, Session, answered, command


@click.group("artifact", help="What a run's phases produced.")
def artifact() -> None: ...


@command(artifact, "add")
@click.argument("run_id", metavar="RUN")
@click.option("--phase", help="Default: the phase the run is in.")
@click.option("--path", required=True, help="Where it is, beneath the project folder.")
@click.option("--type", "type_", default="file", show_default=True)
@click.option(
    "--content", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Store this file."
)
async def add_artifact(
    session: Session, run_id: str, phase: str | None, path: str, type_: str, content: Path | None
) -> Answer:
    """Register an artifact."""
    text = None if content is None else _text(content)

    async def work(change: Change) -> Outcome:
        row = await artifacts.add(
            change,
            run_id,
            phase=phase,
            path=one_line(path, 1000),
            type_=one_line(type_, 64),
            content=text,
        )
        data = artifacts.artifact_data(row)
        return Outcome(text=f"Added: {tell.artifact(data)}", data=data)

    return answered(await session.change(work))


def _text(path: Path) -> str:
    if path.stat().st_size > LARGEST:
        raise InvalidCall(f"“{one_line(str(path), 120)}” is larger than {LARGEST // 1024} KB.")
    return path.read_bytes().decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


@command(artifact, "list")
@click.argument("run_id", metavar="RUN")
@click.option("--phase", default="")
async def list_artifacts(session: Session, run_id: str, phase: str) -> Answer:
    """List a run's artifacts."""

    async def read(at: Reading) -> Outcome:
        found = await artifacts.listed(at.db, run_id, phase)
        return Outcome(text=tell.artifacts(found), data={"artifacts": list(found)})

    return answered(await session.kernel.look(read), of="artifacts")


@click.group("agent", help="Who works in a run.")
def agent() -> None: ...


@command(agent, "add")
@click.argument("run_id", metavar="RUN")
@click.option("--type", "agent_type", required=True)
@click.option("--name", default="")
async def add_agent(session: Session, run_id: str, agent_type: str, name: str) -> Answer:
    """Register an agent at work."""

    async def work(change: Change) -> Outcome:
        row = await runs.lock_active(change, run_id)
        await portfolios.make_room(change, row)
        agent_id = await runs.add_agent(change, row, one_line(agent_type, 64), one_line(name, 64))
        return Outcome(text=f"Agent {agent_id} is at work. (run {run_id})", data={"id": agent_id})

    return answered(await session.change(work))


@command(agent, "update")
@click.argument("agent_id", metavar="AGENT")
@click.option("--status", type=click.Choice(runs.AGENT_STATUSES), required=True)
async def update_agent(session: Session, agent_id: str, status: str) -> Answer:
    """Say what became of an agent."""

    async def work(change: Change) -> Outcome:
        row = await runs.update_agent(change, agent_id, status)
        data = {"id": row["id"], "run_id": row["run_id"], "status": row["status"]}
        return Outcome(text=f"Agent {row['id']} is {row['status']}.", data=data)

    return answered(await session.change(work))


@command(agent, "list")
@click.argument("run_id", metavar="RUN")
async def list_agents(session: Session, run_id: str) -> Answer:
    """List a run's agents."""

    async def read(at: Reading) -> Outcome:
        rows = [
            {name: row[name] for name in ("id", "agent_type", "name", "status")}
            for row in await runs.agents(at.db, run_id)
        ]
        lines = [
            f"{row['agent_type']} {row['name']}".strip() + f" · {row['status']} · {row['id']}" for row in rows
        ]
        return Outcome(text="\n".join(lines) or "Nobody works in this run.", data={"agents": rows})

    return answered(await session.kernel.look(read), of="agents")
