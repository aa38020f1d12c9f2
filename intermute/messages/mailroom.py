"""Everything about messages, wired."""

from intermute.events.journal import Journal
from intermute.limits import Limits
from intermute.messages.broadcasts import Broadcasts
from intermute.messages.inbox import Inbox
from intermute.messages.indexer import Indexer
from intermute.messages.live import LivePost
from intermute.messages.marks import Marks
from intermute.messages.postbox import Postbox
from intermute.messages.search import Search
from intermute.messages.sending import Contacting, Messages
from intermute.messages.threads import Threads
from storage.clock import Clock
from storage.database import Database


class Mailroom:
    """Its attributes are what it does; `indexer.run` is its loop."""

    def __init__(
        self,
        db: Database,
        journal: Journal,
        clock: Clock,
        *,
        limits: Limits,
        contacting: Contacting,
        live: LivePost,
    ) -> None:
        self.postbox = Postbox(db, journal, clock)
        self.messages = Messages(db, journal, clock, postbox=self.postbox, contacting=contacting, live=live)
        self.broadcasts = Broadcasts(db, clock, limits=limits, messages=self.messages, contacting=contacting)
        self.marks = Marks(db, journal, clock)
        self.inbox = Inbox(db, clock)
        self.threads = Threads(db)
        self.search = Search(db)
        self.indexer = Indexer(db, journal, clock)
