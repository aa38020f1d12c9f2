"""How many helpers an agent may have, and which of them a person is asked about. Pure."""

from dataclasses import dataclass

from host.conversation.turns import Turn
from host.people.registry import Group
from host.tools.policy import AUTO, CONFIRM, MAIN_ONLY, NO_TURN, Judgement, Ruling


@dataclass(frozen=True, slots=True, kw_only=True)
class SwarmRules:
    free: int = 3  #: helpers of one turn that need nobody's leave
    most: int = 8  #: of one turn, whoever allows it; 0: there are none
    seconds: float = 600.0  #: a helper may work


def may_spawn(group: Group, turn: Turn | None, spawned: int, rules: SwarmRules) -> Judgement:
    """`spawned`: how many the turn has asked for already."""
    if not group.main or not rules.most:
        return Judgement(ruling=Ruling.REFUSED, reason=MAIN_ONLY)
    if turn is None:
        return Judgement(ruling=Ruling.REFUSED, reason=NO_TURN)
    if spawned >= rules.most:
        return Judgement(
            ruling=Ruling.REFUSED,
            reason=f"One turn may have {rules.most} helpers, which have been asked for.",
        )
    return CONFIRM if turn.tainted or spawned >= rules.free else AUTO
