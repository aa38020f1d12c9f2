"""What the project is told of its reservations. The fencing token of a grant is the cursor of its event."""

from typing import Any

from intermute import times
from intermute.events.event import RESERVATION_EXPIRED, RESERVATION_GRANTED, RESERVATION_RELEASED, NewEvent
from intermute.reservations.claim import Claim
from intermute.reservations.reservation import Reservation

#: told to the agent that waited in vain
RESERVATION_WAIT_EXPIRED = "reservation.wait_expired"

#: ways to end that nobody asked for
_EXPIRED = ("expired", "agent_gone")


def granted(one: Reservation, **more: Any) -> NewEvent:
    lasting = {"exclusive": one.exclusive, "expires_at": times.precise(one.expires_at)}
    return _event(
        RESERVATION_GRANTED, one, **lasting, **({"reason": one.reason} if one.reason else {}), **more
    )


def ended(one: Reservation, **more: Any) -> NewEvent:
    how = RESERVATION_EXPIRED if one.ended in _EXPIRED else RESERVATION_RELEASED
    return _event(how, one, **({"reason": one.ended} if one.ended != "released" else {}), **more)


def wait_over(claim: Claim) -> NewEvent:
    return NewEvent(
        project=claim.project,
        type=RESERVATION_WAIT_EXPIRED,
        data={"waiting_id": claim.id, "agent_id": claim.agent, "patterns": list(claim.texts)},
        audience=(claim.agent,),
    )


def _event(kind: str, one: Reservation, **more: Any) -> NewEvent:
    data = {"reservation_id": one.id, "agent_id": one.agent, "path_pattern": one.pattern, **more}
    return NewEvent(project=one.project, type=kind, data=data)
