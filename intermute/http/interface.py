"""Everything that is served, in one place: the tables of all rooms."""

from collections.abc import Sequence

from intermute.http import (
    agents,
    contacts,
    entities,
    inbox,
    marks,
    messages,
    pokes,
    reservations,
    search,
    threads,
    windows,
)
from intermute.http.endpoint import AnyEndpoint, Socket
from intermute.http.events import Events
from intermute.http.reservations import ReservationRoom
from intermute.http.seats import Seats
from intermute.http.sockets import Sockets
from intermute.rooms import Rooms


def endpoints(rooms: Rooms, seats: Seats) -> Sequence[AnyEndpoint]:
    """The rows of all rooms."""
    return (
        *agents.endpoints(rooms.agents, rooms.reservations.release_all),
        *contacts.endpoints(rooms.contacts),
        *windows.endpoints(rooms.live.windows),
        *pokes.endpoints(rooms.live.pokes),
        *messages.endpoints(messages.MessageRoom(rooms.mailroom, rooms.guards, rooms.new_id)),
        *marks.endpoints(marks.MarkRoom(rooms.mailroom.marks, rooms.guards)),
        *search.endpoints(search.SearchRoom(rooms.mailroom.search, rooms.guards)),
        *inbox.endpoints(inbox.InboxRoom(rooms.mailroom.inbox, rooms.guards)),
        *threads.endpoints(threads.ThreadRoom(rooms.mailroom.threads, rooms.guards)),
        *reservations.endpoints(ReservationRoom(rooms.reservations, rooms.guards)),
        *entities.endpoints(rooms.entities, rooms.features),
        *Events(rooms.feed, rooms.guards, seats).table(),
    )


def sockets(live: Sockets) -> Sequence[Socket]:
    """The paths that become WebSockets."""
    return tuple(live.table())
