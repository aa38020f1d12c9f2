"""What becomes of an update: for the agent, for the router or for nobody. Pure, on the registry."""

import re
from dataclasses import dataclass
from enum import StrEnum

from bridges.messages import ChatMessage, ChatUpdate
from host.conversation.prompting import triggers, without_trigger
from host.people.registry import Group, Registry, Role

COMMAND = re.compile(r"/([A-Za-z][A-Za-z0-9_]{0,31})(@[A-Za-z0-9_]{1,64})?(?=\s|$)")
#: what may be a decision; whether it is one the desk knows
DECISION = re.compile(
    r"(approve|reject|defer|extend|cancel|view|next|details|promote|dismiss|later|allow|ignore|block)"
    r"(\s+\S{1,12}){0,2}[.!]?",
    re.IGNORECASE,
)
_FILE = re.compile(r"^\[[^\]\n]{1,200}\]\s*")


class Fate(StrEnum):
    """Who deals with an update."""

    AGENT = "agent"
    ROUTER = "router"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """What becomes of one update."""

    fate: Fate
    group: Group | None = None
    lane: str = ""
    triggers: bool = False
    tainted: bool = False  #: written by somebody without a right in the group


def receive(update: ChatUpdate, registry: Registry, name: str) -> Reception:
    """Decide for an update; `name` is what the agent is called by."""
    if not isinstance(update, ChatMessage):
        return Reception(fate=Fate.ROUTER)
    group = registry.group_of(update.address)
    command = COMMAND.match(update.text.lstrip()) is not None
    if group is None or not update.text.strip():
        # Without a group nothing but commands is kept; an empty message is nobody's.
        return Reception(fate=Fate.ROUTER if command else Fate.NOBODY)
    aside = command or DECISION.fullmatch(without_trigger(update.text, name).strip())
    return _in_lane(Fate.ROUTER if aside else Fate.AGENT, update, group, registry, name)


def _in_lane(fate: Fate, message: ChatMessage, group: Group, registry: Registry, name: str) -> Reception:
    role = registry.role(group.folder, message.sender.address)
    # A caption stands behind the word for its file.
    said = _FILE.sub("", message.text, count=1) if message.attachments else message.text
    return Reception(
        fate=fate,
        group=group,
        lane=group.lane_of(message.address),
        triggers=triggers(
            said,
            name=name,
            required=group.trigger_required and not group.main,
            addressed=message.mentioned,
        ),
        tainted=role is None or not role.includes(Role.MEMBER),
    )
