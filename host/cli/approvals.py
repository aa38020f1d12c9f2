"""`intercom approvals`: what waits for a person, in all groups."""

import json
from typing import TYPE_CHECKING

import click

from host.cli.running import Station, as_json, at_station

if TYPE_CHECKING:
    from host.decisions.approvals import Approval

MOST = 200


@click.group()
def approvals() -> None:
    """See what waits for a person. Decisions are made in the chat, where it is known who decides."""


@approvals.command("list")
@as_json
def list_(as_json: bool) -> None:
    """Show open approvals, newest first."""

    async def work(here: Station) -> None:
        found = await _open(here)
        if as_json:
            click.echo(json.dumps([_row(approval) for approval in found]))
            return
        for approval in found:
            click.echo(_line(here, approval))
        if not found:
            click.echo("Nothing waits for a decision.")

    at_station(work)


async def _open(here: Station) -> "list[Approval]":
    import secrets

    from host.decisions.approvals_store import Approvals
    from storage.ids import new_ids

    store = Approvals(new_ids(here.clock), secrets.randbelow)
    async with here.db.transaction() as connection:
        return list(await store.open_in(connection, None, MOST))


def _line(here: Station, approval: "Approval") -> str:
    from host.decisions.questions import question

    until = ""
    if approval.expires_at is not None:
        until = f", until {approval.expires_at.astimezone(here.settings.zone()):%H:%M}"
    state = approval.state.value
    return f"{approval.code}  {approval.folder:<16} {state}{until:<14}  {question(approval).headline}"


def _row(approval: "Approval") -> dict[str, object]:
    return {
        "code": approval.code,
        "kind": approval.kind.value,
        "folder": approval.folder,
        "state": approval.state.value,
        "address": approval.address,
        "project": approval.project,
        "run": approval.run,
        "created_at": approval.created_at.isoformat(),
        "expires_at": None if approval.expires_at is None else approval.expires_at.isoformat(),
    }
