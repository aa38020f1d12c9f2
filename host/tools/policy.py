"""May it? What a group may do and what needs a person; the person's own right is checked at the desk."""

from dataclasses import dataclass
from enum import StrEnum

from demarch.operations import Access, Operation, Tier
from host.people.registry import Group

WRITES_ELSEWHERE = "Write operations are allowed in the main group only; an owner can grant more."
MAIN_ONLY = "This is allowed in the main group only."
NO_TURN = "Nothing was written: there is no running turn this call belongs to."


class Ruling(StrEnum):
    AUTO = "auto"
    CONFIRM = "confirm"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    ruling: Ruling
    reason: str = ""  #: of a refusal: a sentence for whoever asked


AUTO = Judgement(ruling=Ruling.AUTO)
CONFIRM = Judgement(ruling=Ruling.CONFIRM)


def may(group: Group, operation: Operation, *, running: bool, tainted: bool) -> Judgement:
    """Reads for every group; writes for those that may, at once where table and turn allow it."""
    if operation.access is Access.READ:
        return AUTO
    return may_write(group, confirm=operation.tier is Tier.CONFIRM, running=running, tainted=tainted)


def may_write(group: Group, *, confirm: bool, running: bool, tainted: bool) -> Judgement:
    if not offers_writes(group):
        return Judgement(ruling=Ruling.REFUSED, reason=WRITES_ELSEWHERE)
    if not running:
        return Judgement(ruling=Ruling.REFUSED, reason=NO_TURN)
    return CONFIRM if confirm or tainted else AUTO


def may_send(group: Group, *, own_chat: bool, known: bool, running: bool, tainted: bool) -> Judgement:
    """A message to its own chat is what an agent's answer is anyway; the main group may write to others."""
    if not running:
        return Judgement(ruling=Ruling.REFUSED, reason=NO_TURN)
    if own_chat:
        return AUTO
    if not group.main:
        return Judgement(ruling=Ruling.REFUSED, reason="A message may go to this chat only.")
    if not known:
        return Judgement(ruling=Ruling.REFUSED, reason="There is no registered chat with this address.")
    return CONFIRM if tainted else AUTO


def may_register(group: Group, *, running: bool, tainted: bool) -> Judgement:
    if not group.main:
        return Judgement(ruling=Ruling.REFUSED, reason=MAIN_ONLY)
    return may_write(group, confirm=False, running=running, tainted=tainted)


def may_route(group: Group, *, running: bool, tainted: bool) -> Judgement:
    """What reviewers wrote goes from the main group to others, and to nobody else."""
    if not group.main:
        return Judgement(ruling=Ruling.REFUSED, reason=MAIN_ONLY)
    return may_write(group, confirm=False, running=running, tainted=tainted)


def offers_writes(group: Group) -> bool:
    """What a group may not do is not even declared to its agent."""
    return group.main or group.writes
