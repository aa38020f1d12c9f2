"""What people hear of money by themselves: the warning, once a day, and the card of a reached limit."""

import asyncio
from datetime import UTC, datetime, time, timedelta, tzinfo

import structlog

from bridges.messages import Content
from host.decisions.approvals import Approval, Draft, Kind, State
from host.decisions.approvals_store import Approvals
from host.decisions.codes import Verb
from host.decisions.desk import Desk
from host.decisions.settling import HOST, Settling
from host.news.pictures import Painter
from host.outgoing.outbox import Outbox, PostKind
from host.people.registry import Group, Registry
from host.phrases import one_line
from host.spending.events import Stopped, Warned
from host.spending.money import whole_cents
from host.spending.reports import Curve, Reports
from host.spending.spending import Spending
from host.spending.words import warning
from storage import sql
from storage.clock import Clock
from storage.database import Connection, Database

log = structlog.get_logger()

PAUSE = 5.0  #: seconds before what could not be told is tried again
_SQL = sql.load("host", "spending")


class SpendTelling:
    """Takes in events at once, tells them from a task of its own."""

    def __init__(
        self,
        *,
        database: Database,
        desk: Desk,
        settling: Settling,
        approvals: Approvals,
        outbox: Outbox,
        registry: Registry,
        spending: Spending,
        reports: Reports,
        painter: Painter,
        clock: Clock,
        zone: tzinfo,
        seconds: float,
        percent: int,
        picture_patience: float,
    ) -> None:
        self._database = database
        self._desk = desk
        self._settling = settling
        self._approvals = approvals
        self._outbox = outbox
        self._registry = registry
        self._spending = spending
        self._reports = reports
        self._painter = painter
        self._clock = clock
        self._zone = zone
        self._seconds = seconds  #: until an open card expires
        self._percent = percent  #: what EXTEND grants, unless the stopped request needs more
        self._picture_patience = picture_patience
        self._news: dict[tuple[str, type], Warned | Stopped] = {}
        self._answered: set[str] = set()  #: groups whose question of today is put, or was turned down
        self._stir = asyncio.Event()
        spending.on_event(self.hear)
        settling.on_end(self._ended)

    def hear(self, event: Warned | Stopped) -> None:
        """The same again is the same: at most one of each kind waits per group."""
        if isinstance(event, Stopped) and _question(event) in self._answered:
            return
        self._news.setdefault((event.folder, type(event)), event)
        self._stir.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._stir.wait()
            self._stir.clear()
            await self.tell()
            if self._news:
                await self._clock.sleep(PAUSE)
                self._stir.set()

    async def tell(self) -> None:
        """Tell what waits; what fails waits on."""
        for key in list(self._news):
            event = self._news.pop(key)
            group = self._registry.group(event.folder)
            try:
                if group is not None:
                    await self._tell(event, group)
            except Exception as error:  # noqa: BLE001 - the others must still be told
                log.warning("spending.not_told", folder=event.folder, reason=str(error))
                self._news.setdefault(key, event)

    async def _tell(self, event: Warned | Stopped, group: Group) -> None:
        if isinstance(event, Warned):
            await self._warn(event, group)
        else:
            await self._stop(event, group)

    async def _warn(self, event: Warned, group: Group) -> None:
        book = self._spending.today(event.folder)
        limit = self._spending.limit(event.folder) + book.extended
        if book.day != event.day:
            return
        text = warning(group.title or group.folder, book.spent, limit)
        async with self._database.transaction() as conn:
            first = await conn.fetchval(_SQL["spending.warned"], event.folder, event.day, self._clock.now())
            if first is None:
                return
            for address in group.addresses:
                await self._outbox.put(
                    conn,
                    address=address,
                    kind=PostKind.NOTICE,
                    content=Content(text=text, silent=True),
                    folder=group.folder,
                )
        for address in group.addresses:
            self._outbox.wake(address)

    async def _stop(self, event: Stopped, group: Group) -> None:
        """Put the card, unless it stands already or a person left the limit as it is today."""
        if await self._asked(event):
            self._remember(event)
            return
        title = group.title or group.folder
        book = self._spending.today(group.folder)
        limit = self._spending.limit(group.folder) + book.extended
        if book.day != event.day or book.spent + event.needs <= limit:
            return  # it was extended meanwhile, or the day is over
        curve = await self._reports.curve(
            group.folder, event.day, title=title, limit=limit, now=self._clock.now()
        )
        picture = await self._picture(curve)
        addresses = dict.fromkeys([*([event.address] if event.address else []), *group.addresses])
        async with self._database.transaction() as conn:
            await conn.execute(_SQL["spending.stopped"], event.folder, event.day, self._clock.now())
            draft = self._draft(event, group, curve, book.spent)
            approval, fresh = await self._desk.ask(conn, draft, addresses, picture)
            if fresh:
                await self._settling.record(conn, approval, "approval.asked", HOST)
        self._remember(event)
        self._desk.asked(addresses)

    async def _picture(self, curve: Curve) -> bytes | None:
        """The card does not wait long for it."""
        if len(curve.points) < 2:
            return None
        try:
            async with asyncio.timeout(self._picture_patience):
                return await self._painter.spent(curve)
        except TimeoutError:
            return None

    def _draft(self, event: Stopped, group: Group, curve: Curve, spent: int) -> Draft:
        usual = max(1, self._spending.limit(group.folder) * self._percent // 100)
        grant = max(usual, whole_cents(spent + event.needs - curve.limit))
        return Draft(
            kind=Kind.SPEND,
            folder=group.folder,
            address=event.address or group.addresses[0],
            lane=event.lane,
            dedupe=_question(event),
            expires_at=min(self._clock.now() + timedelta(seconds=self._seconds), _end_of(event, self._zone)),
            subject={
                "goal": one_line(curve.title, 200),
                "day": event.day.isoformat(),
                "used": spent,
                "limit": curve.limit,
                "needs": event.needs,
                "model": one_line(event.model, 100),
                "grant": grant,
                "percent": self._percent if grant == usual else 0,
                "pace": curve.pace,
            },
        )

    async def _asked(self, event: Stopped) -> bool:
        async with self._database.transaction() as conn:
            last = await self._last(conn, event)
        return last is not None and (last.open or last.verb is Verb.CANCEL)

    async def _last(self, conn: Connection, event: Stopped) -> Approval | None:
        return await self._approvals.last_same(conn, _question(event))

    def _remember(self, event: Stopped) -> None:
        """That this day's question is put; those of other days are over."""
        day = event.day.isoformat()
        self._answered = {each for each in self._answered if each.endswith(day)} | {_question(event)}

    def _ended(self, approval: Approval) -> None:
        """Extended or expired: the next request that is stopped may ask again."""
        if approval.kind is Kind.SPEND and not (
            approval.state is State.DONE and approval.verb is Verb.CANCEL
        ):
            self._answered.discard(approval.dedupe)


def _question(event: Stopped) -> str:
    return f"spend:{event.folder}:{event.day.isoformat()}"


def _end_of(event: Stopped, zone: tzinfo) -> datetime:
    """Midnight after the day, in the zone of those who read."""
    return datetime.combine(event.day + timedelta(days=1), time(), zone).astimezone(UTC)
