"""Prints the messages that wait for an agent's terminal, and says that they were looked at."""

import json
from dataclasses import dataclass, field

import click
from pydantic import BaseModel, TypeAdapter

from intermute.client.wire import Wire, part


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whose messages, and where."""

    url: str
    socket: str
    project: str
    agent: str
    key: str = field(repr=False)
    token: str = field(repr=False)


class Poke(BaseModel):
    message_id: str
    sender: str = ""
    body: str
    created_at: str = ""


class Page(BaseModel):
    pokes: list[Poke]
    next_cursor: str = ""


_PAGE = TypeAdapter(Page)


async def pokes(asked: Asked, *, surfaced: bool, as_json: bool) -> None:
    """Print them oldest first. What could not be printed is not marked."""
    where = {"project": asked.project, "agent": asked.agent}
    async with Wire.open(
        asked.url, key=asked.key, agent=asked.agent, token=asked.token, socket=asked.socket
    ) as wire:
        waiting = await _waiting(wire, where)
        if as_json:
            click.echo(json.dumps([poke.model_dump() for poke in waiting]))
        else:
            click.echo("\n---\n".join(_printable(poke.body) for poke in waiting), nl=bool(waiting))
        for poke in waiting if surfaced else ():
            await wire.do("POST", f"/api/inbox/pokes/{part(poke.message_id)}/ack", query=where)


async def _waiting(wire: Wire, where: dict[str, str]) -> list[Poke]:
    found: list[Poke] = []
    cursor = ""
    while True:
        page = await wire.ask(_PAGE, "GET", "/api/inbox/pokes", query={**where, "cursor": cursor})
        found += page.pokes
        if not page.next_cursor or not page.pokes:
            return found
        cursor = page.next_cursor


def _printable(text: str) -> str:
    """Others wrote it: nothing in it may command a terminal."""
    return "".join(letter for letter in text if letter in "\n\t" or letter.isprintable())
