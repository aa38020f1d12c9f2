"""Everything about live delivery, wired."""

from intermute.agents.contacting import Contacting
from intermute.agents.guards import Guards
from intermute.events.journal import Journal
from intermute.limits import Limits, LiveRules
from intermute.live.pokes import Pokes
from intermute.live.post import Terminals
from intermute.live.rates import Rates
from intermute.live.seats import Seats
from intermute.live.tmux import Tmux
from intermute.live.windows import Windows
from storage.clock import Clock
from storage.database import Database
from storage.ids import NewId


class LiveDesk:
    """Its attributes are what it does; `post` is what the messages need."""

    def __init__(
        self,
        db: Database,
        journal: Journal,
        clock: Clock,
        new_id: NewId,
        *,
        limits: Limits,
        rules: LiveRules,
        guards: Guards,
        contacting: Contacting,
    ) -> None:
        self.windows = Windows(db, clock, new_id, guards)
        self.pokes = Pokes(db, clock, guards)
        self.post = Terminals(
            journal,
            rules,
            contacting,
            Rates(db, clock, limits.live),
            Seats(db, clock),
            self.pokes,
            Tmux(rules, new_id),
        )
