"""`run create`: a run, or a portfolio with a run for each of its projects."""

import json
from typing import Any

import click

from demarch import parameters as takes
from demarch.calls import parse
from demarch.embedded import portfolios, runs
from demarch.embedded.ledger import Change
from demarch.errors import InvalidCall
from demarch.kernel import Outcome
from demarch.phases import DEFAULT_PHASES
from demarch.phrases import one_line
from demarch.telling import runs as tell
from demarch.terminal.shell import Answer, Session, answered, command

_starting = click.Group()


@command(_starting, "create")
@click.option("--goal", required=True, help="What the run is to achieve.")
@click.option("--description", default="")
@click.option("--project", default="")
@click.option("--complexity", type=click.IntRange(1, 5), default=3, show_default=True)
@click.option("--phases", help="A JSON list, or names separated by commas. The last one ends the run.")
@click.option("--gates", help='JSON: {"review->polish": ["verdict_clean"]}.')
@click.option("--token-budget", type=click.IntRange(1, 10**12))
@click.option("--budget-warn-pct", type=click.IntRange(1, 99), default=80, show_default=True)
@click.option("--budget-enforce", is_flag=True, help="A used-up budget closes the gates.")
@click.option("--no-auto-advance", is_flag=True, help="A person lets it through every gate.")
@click.option("--scope-id")
@click.option("--projects", help="Names of projects, separated by commas: a portfolio with a run for each.")
@click.option(
    "--max-dispatches", type=click.IntRange(1, 10_000), help="Agents at work in a portfolio's runs."
)
async def create_run(
    session: Session, /, goal: str, phases: str | None, gates: str | None, **rest: Any
) -> Answer:
    """Start a run."""
    names = ("description", "project", "complexity", "token_budget")
    call = parse("start_run", {"title": goal, **{name: rest[name] for name in names}})
    fits = takes.StartRun.model_validate(call.params)
    new = runs.NewRun(
        goal=fits.title,
        description=fits.description,
        project=fits.project,
        phases=_chain(phases),
        complexity=fits.complexity,
        auto_advance=not rest["no_auto_advance"],
        scope_id=rest["scope_id"],
        gates=None if gates is None else json_of(gates),
        token_budget=fits.token_budget,
        warn_pct=rest["budget_warn_pct"],
        enforce=rest["budget_enforce"],
        max_dispatches=rest["max_dispatches"],
    )
    projects = rest["projects"]
    if projects is not None:
        return await _portfolio(session, new, projects.split(","))

    async def work(change: Change) -> Outcome:
        row = await runs.create(change, new)
        return Outcome(text=tell.started(runs.run_of(row)), data={"id": row["id"], "phase": row["phase"]})

    return answered(await session.change(work))


async def _portfolio(session: Session, new: runs.NewRun, projects: list[str]) -> Answer:
    async def work(change: Change) -> Outcome:
        row, children = await portfolios.create(change, new, [one_line(project, 200) for project in projects])
        lines = [f"{child['project_dir']}: run {child['id']}" for child in children]
        data = {"id": row["id"], "phase": row["phase"], "children": [child["id"] for child in children]}
        return Outcome(text="\n".join([tell.started(runs.run_of(row)), *lines]), data=data)

    return answered(await session.change(work))


def _chain(phases: str | None) -> list[str]:
    if phases is None:
        return list(DEFAULT_PHASES)
    if not phases.lstrip().startswith("["):
        return [phase.strip() for phase in phases.split(",") if phase.strip()]
    written = json_of(phases)
    if not isinstance(written, list):
        raise InvalidCall("Phases are a JSON list of names.")
    return [str(phase) for phase in written]


def json_of(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidCall(f"That is no JSON: {error}.") from error


create = _starting.commands["create"]
