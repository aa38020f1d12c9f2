"""What an agent reads of others: their messages, who is there, who holds what. All of it is their word."""

from collections.abc import Sequence
from datetime import datetime

from bridges.splitting import shorten
from host.conversation.prompting import attribute, escaped, stamp
from host.coordination.conflicts import holder, left
from host.coordination.port import Fellow, Holding, Letter
from host.phrases import count, listed, one_line, quoted

ROOM = 100_000  #: characters of letters in one answer
LONGEST = 20_000  #: UTF-16 units of one letter that are read
SHOWN = 40  #: agents or holdings in one answer


def fitting(letters: Sequence[Letter]) -> Sequence[Letter]:
    """The first ones, as many as have room; at least one."""
    kept: list[Letter] = []
    room = ROOM
    for letter in letters:
        room -= min(len(letter.body), LONGEST) + 500
        if kept and room < 0:
            break
        kept.append(letter)
    return kept


def letters(read: Sequence[Letter]) -> str:
    """As elements that nothing in them can end."""
    return "\n".join(_letter(letter) for letter in read)


def people(fellows: Sequence[Fellow], now: datetime) -> str:
    said = [_fellow(fellow, now) for fellow in fellows[:SHOWN]]
    more = len(fellows) - SHOWN
    return "\n".join([*said, *([f"{count(more, 'more agent')} not shown."] if more > 0 else [])])


def holdings(held: Sequence[Holding], now: datetime) -> str:
    said = [_holding(each, now) for each in held[:SHOWN]]
    more = len(held) - SHOWN
    return "\n".join([*said, *([f"{count(more, 'more reservation')} not shown."] if more > 0 else [])])


def own(held: Sequence[Holding], now: datetime) -> str:
    paths = listed([f"{quoted(each.pattern, 200)} ({left(each, now)})" for each in held], SHOWN)
    return f"You hold {paths}." if held else "You hold nothing."


def _holding(held: Holding, now: datetime) -> str:
    how = "" if held.exclusive else " (shared)"
    why = f", {quoted(held.reason, 160)}" if held.reason else ""
    return f"{quoted(held.pattern, 200)}{how}: {holder(held)}, {left(held, now)}{why}"


def _letter(letter: Letter) -> str:
    members = {
        "id": letter.id,
        "from": letter.sender,
        "to": ", ".join(letter.to[:10]),
        "time": stamp(letter.sent_at),
        "subject": letter.subject,
        "thread_id": letter.thread,
        "importance": "" if letter.importance == "normal" else letter.importance,
        "ack_required": "true" if letter.ack_required else "",
    }
    head = "".join(f' {name}="{attribute(shorten(value, 1000))}"' for name, value in members.items() if value)
    return f"<message{head}>{escaped(shorten(letter.body, LONGEST))}</message>"


def _fellow(fellow: Fellow, now: datetime) -> str:
    name, agent = one_line(fellow.name, 60), one_line(fellow.agent, 80)
    who = quoted(agent, 80) if name in ("", agent) else f"{quoted(name, 60)} ({agent})"
    minutes = int((now - fellow.last_seen).total_seconds() // 60)
    seen = "now" if minutes < 1 else f"{minutes} min ago"
    said = [one_line(fellow.status, 40), quoted(fellow.objective, 160) if fellow.objective else ""]
    return ", ".join([f"{who}: seen {seen}", *(each for each in said if each)])
