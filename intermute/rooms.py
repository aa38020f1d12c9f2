"""The rooms of the service, wired: what is known about agents, messages, reservations, events and work."""

import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from intermute.agents.agents import Agents
from intermute.agents.contacting import Contacting
from intermute.agents.contacts import Contacts
from intermute.agents.guards import Guards
from intermute.agents.standings import Standings
from intermute.entities.features import Features
from intermute.entities.store import Entities
from intermute.events.feed import Feed
from intermute.events.journal import Journal
from intermute.globs.pattern import overlap
from intermute.keys import Keyring
from intermute.limits import Limits, LiveRules, Retention
from intermute.live.desk import LiveDesk
from intermute.messages.mailroom import Mailroom
from intermute.patience import DEADLINE
from intermute.reservations.reservations import Reservations
from intermute.reservations.sweeper import Sweeper
from intermute.retention import Pruner
from storage.clock import Clock
from storage.database import Database
from storage.ids import NewId
from storage.wakeups import Wakeups


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the service is built on and told."""

    db: Database
    wakeups: Wakeups
    clock: Clock
    new_id: NewId
    keyring: Keyring = field(default_factory=Keyring)
    limits: Limits = field(default_factory=Limits)
    retention: Retention = field(default_factory=Retention)
    live: LiveRules = field(default_factory=LiveRules)
    deadline: float = DEADLINE  #: seconds for a request
    random_bytes: Callable[[int], bytes] = secrets.token_bytes
    randomness: Callable[[], float] = random.random


class Rooms:
    """None of them knows of HTTP; whoever runs the service in the same process may ask them directly."""

    def __init__(self, given: Given) -> None:
        db, clock, limits = given.db, given.clock, given.limits
        self.new_id = new_id = given.new_id
        self.journal = journal = Journal(db, clock)
        self.feed = Feed(db, journal, given.wakeups, clock)
        self.standings = standings = Standings(db)
        self.guards = guards = Guards(db, clock, standings)
        self.agents = Agents(db, journal, clock, new_id, given.random_bytes, limits, standings, guards)
        self.contacts = Contacts(db, clock, self.agents, standings, guards)
        self.contacting = Contacting(db, clock, standings, overlap)
        self.live = LiveDesk(
            db,
            journal,
            clock,
            new_id,
            limits=limits,
            rules=given.live,
            guards=guards,
            contacting=self.contacting,
        )
        self.mailroom = Mailroom(
            db, journal, clock, limits=limits, contacting=self.contacting, live=self.live.post
        )
        self.reservations = Reservations(db, journal, clock, new_id, limits)
        self.sweeper = Sweeper(db, journal, clock, limits)
        self.entities = Entities(db, journal, clock, new_id)
        self.features = Features(db, journal, clock)
        self.pruner = Pruner(db, clock, given.retention)
