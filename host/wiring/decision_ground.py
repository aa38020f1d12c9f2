"""What the decisions, the tools and the money stand on."""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import TYPE_CHECKING

from demarch.projects import Projects
from host.decisions.codes import Below
from host.meter import Meter, SilentMeter
from host.outgoing.outbox import Outbox
from host.people.registry import Registry
from host.record.audit import Audit
from host.spending.events import SpendRules
from host.swarm.rules import SwarmRules
from storage.clock import Clock
from storage.database import Database
from storage.ids import NewId

if TYPE_CHECKING:
    from demarch.cli.follow import Follower
    from host.wiring.coordination import Coordinating


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What everything here stands on."""

    database: Database
    clock: Clock
    new_id: NewId
    outbox: Outbox
    registry: Registry
    audit: Audit
    projects: Projects
    zone: tzinfo  #: of those who read
    holder: str  #: the install's id: leases of an earlier life of the same install are ours
    timeout: float  #: seconds until an open card defers itself
    extend_percent: int
    stale_after: float = 7200.0  #: seconds in one phase until it is told; 0 tells nobody
    picture_patience: float = 3.0  #: seconds a message waits for its picture
    spend: SpendRules = field(default_factory=SpendRules)
    meter: Meter = field(default_factory=SilentMeter)
    followers: Mapping[str, "Follower"] = field(default_factory=dict)  #: of projects of the kernel CLI
    swarm: SwarmRules = field(default_factory=SwarmRules)
    runtimes: Collection[str] = ("local",)  #: that helpers may be
    coordinating: "Coordinating | None" = None  #: None: there is no intermute here
    isolated: bool = False  #: agents are locked in; without it hardly anything of theirs runs freely
    below: Below = secrets.randbelow
