"""The approval desk: everything a person decides comes here, by button or by word, and is decided once."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from bridges.messages import ButtonTap, ChatMessage, Content, Person
from bridges.port import BridgeError, ChatBridge
from host.approvals import LOOKS, VERBS, Approval, Draft, State
from host.approvals_store import Approvals
from host.board import DECIDERS, Board
from host.cards import OUT_OF_DATE
from host.codes import Keyword, Verb, parse_data, parse_keyword
from host.deciding import Answer, Deciding
from host.expiry import Expiry
from host.looking import Looking
from host.outbox import Post, PostKind
from host.phrases import listed, one_line
from host.settling import Settling
from storage.clock import Clock
from storage.database import Connection, Database

log = structlog.get_logger()

SLOW = 0.7  #: seconds after which a tap is answered with "Working…"
RELISTED = 20  #: cards of one /approvals
LISTED = 200
FAULT = Answer(text="Not done: an internal fault; it is logged. Tap again to retry.", alert=True)
#: The network shows a card a moment before we have noted which message it is; a tap may be that fast.
UNNOTED, UNNOTED_TRIES = 0.1, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the desk is made of (see host/wiring of decisions in `build_desk`)."""

    approvals: Approvals
    board: Board
    settling: Settling
    deciding: Deciding
    looking: Looking
    expiry: Expiry


class Desk:
    """One desk for gates, budgets, finished runs and agents' intents."""

    def __init__(self, *, database: Database, clock: Clock, seconds: float, parts: Parts) -> None:
        self._database = database
        self._clock = clock
        self._seconds = seconds
        self._approvals = parts.approvals
        self._board = parts.board
        self._settling = parts.settling
        self._deciding = parts.deciding
        self._looking = parts.looking
        self._expiry = parts.expiry

    async def tap(self, tap: ButtonTap, bridge: ChatBridge) -> None:
        """Decide by button. The tap is always answered, within a second; returns when it is carried out."""
        async with asyncio.TaskGroup() as tasks:
            work = tasks.create_task(self._tapped(tap))
            slow = tasks.create_task(self._clock.sleep(SLOW))
            await asyncio.wait({work, slow}, return_when=asyncio.FIRST_COMPLETED)
            slow.cancel()
            if work.done():
                await _answer(bridge, tap, work.result())
                return
            await _answer(bridge, tap, Answer(text="Working…"))
            await self._show_working(tap)

    async def keyword(self, message: ChatMessage) -> bool:
        """Decide by word; True when the message was meant for the desk, and then it is nobody else's."""
        said = parse_keyword(message.text)
        if said is None or self._board.registry.group_of(message.address) is None:
            return False
        try:
            found = await self._meant(said, message)
            if found is None:
                return False
            answer = found if isinstance(found, Answer) else await self._typed(said.verb, found, message)
        except Exception:  # the person must hear of it, and the message must not go to an agent instead
            log.exception("keyword.failed", address=message.address)
            answer = FAULT
        await self._reply(message, answer.text)
        return True

    async def open_approvals(self, person: str, folder: str | None = None) -> Sequence[Approval]:
        """What waits, newest first: in one group, or wherever this person has a role."""
        roles = self._board.registry.roles_of(person)
        folders = [name for name in roles if folder in (None, name)]
        async with self._database.transaction() as conn:
            return await self._approvals.open_in(conn, folders, LISTED)

    async def relist(self, address: str, person: str) -> int:
        """/approvals: a card of its own for each, so that taps count on it; how many there are.

        Deferred ones are asked again if this person may decide them.
        """
        group = self._board.registry.group_of(address)
        if group is None or self._board.registry.role(group.folder, person) is None:
            return 0
        async with self._database.transaction() as conn:
            folders = None if group.main else [group.folder]
            waiting = await self._approvals.open_in(conn, folders, RELISTED)
        for approval in waiting:
            await self._relist(approval, address, person)
        self.asked([address])
        return len(waiting)

    async def ask(
        self, conn: Connection, draft: Draft, addresses: Iterable[str], picture: bytes | None = None
    ) -> tuple[Approval, bool]:
        """Put a question with its cards in the caller's transaction, unless it is open already.

        True when it is new. The caller records it and calls `asked` after its commit.
        """
        approval, fresh = await self._approvals.open(conn, draft, self._clock.now())
        if fresh:
            for address in dict.fromkeys(addresses):
                await self._board.put(conn, approval, address, picture)
        return approval, fresh

    async def by_id(self, conn: Connection, approval: UUID) -> Approval | None:
        return await self._approvals.by_id(conn, approval)

    def asked(self, addresses: Iterable[str]) -> None:
        """After the commit of a question: have its cards sent and its time kept."""
        self._board.wake(addresses)
        self._expiry.wake()

    async def recover(self) -> None:
        """At start, before any tap is handled."""
        await self._expiry.recover()

    async def run_expiry(self) -> None:
        """Until cancelled."""
        await self._expiry.run()

    async def _tapped(self, tap: ButtonTap) -> Answer:
        try:
            said = parse_data(tap.data)
            approval = None if said is None else await self._of_card(tap, said)
            if said is None or approval is None:
                log.info("tap.out_of_date", address=tap.address, person=tap.sender.address)
                return Answer(text=OUT_OF_DATE)
            return await self._said(said.verb, approval, tap.sender, tap.address, tap.ref)
        except Exception:  # whatever it was, the tap is answered
            log.exception("tap.failed", address=tap.address)
            return FAULT

    async def _of_card(self, tap: ButtonTap, said: Keyword) -> Approval | None:
        """The approval whose card was tapped: the stored message and the code on the button must agree."""
        async with self._database.transaction() as conn:
            approval = await self._approvals.by_code(conn, said.code or "")
        if approval is None:
            return None
        for _ in range(UNNOTED_TRIES):
            post = await self._board.outbox.showing(tap.address, tap.ref)
            if post is not None:
                return approval if _is_card(post, approval) else None
            if not await self._unnoted(approval, tap.address):
                return None
            await self._clock.sleep(UNNOTED)
        return None

    async def _unnoted(self, approval: Approval, address: str) -> bool:
        async with self._database.transaction() as conn:
            posts = await self._board.outbox.of_approval(conn, approval.id)
        return any(post.address == address and not post.refs and post.due for post in posts)

    async def _said(
        self, verb: Verb, approval: Approval, person: Person, address: str, ref: str | None
    ) -> Answer:
        if verb in LOOKS and verb in VERBS[approval.kind]:
            return await self._looking.look(approval, verb, person, address, ref)
        return await self._deciding.decide(approval, verb, person, address)

    async def _typed(self, verb: Verb, approval: Approval, message: ChatMessage) -> Answer:
        if verb not in VERBS[approval.kind]:
            words = listed([each.upper() for each in VERBS[approval.kind]])
            return Answer(text=f"The card {approval.code} takes {words}.")
        return await self._said(verb, approval, message.sender, message.address, message.ref)

    async def _meant(self, said: Keyword, message: ChatMessage) -> Approval | Answer | None:
        """Which card a word is about: by code, by reply, or because only one can be meant."""
        if said.code is not None:
            return await self._by_code(said.code, message.address)
        if message.reply_to is not None:
            post = await self._board.outbox.showing(message.address, message.reply_to)
            if post is None or post.approval is None:
                return None
            async with self._database.transaction() as conn:
                return await self.by_id(conn, post.approval)
        async with self._database.transaction() as conn:
            waiting = await self._approvals.open_at(conn, message.address)
        fitting = [approval for approval in waiting if said.verb in VERBS[approval.kind]]
        if len(fitting) > 1:
            codes = listed([f"{said.verb.upper()} {approval.code}" for approval in fitting])
            return Answer(text=f"Several cards are open here. Which one do you mean: {codes}?")
        return fitting[0] if fitting else None

    async def _by_code(self, code: str, address: str) -> Approval | Answer:
        async with self._database.transaction() as conn:
            approval = await self._approvals.by_code(conn, code)
            if approval is not None and await self._approvals.shown_at(conn, approval.id, address):
                return approval
        return Answer(text=f"No card in this chat has the code {code}; /approvals shows the open ones.")

    async def _relist(self, approval: Approval, address: str, person: str) -> None:
        if approval.state is State.DEFERRED and self._may_ask(approval, person):
            await self._settling.ask_again(approval, person, self._seconds)
        async with self._database.transaction() as conn:
            held = await self._approvals.locked(conn, approval.id)
            if held is not None and held.open:
                await self._board.put(conn, held, address, await self._picture(conn, held))

    def _may_ask(self, approval: Approval, person: str) -> bool:
        return self._board.registry.role(approval.folder, person) in DECIDERS

    async def _picture(self, conn: Connection, approval: Approval) -> bytes | None:
        posts = await self._board.outbox.of_approval(conn, approval.id)
        return next((post.content.picture for post in posts if post.content.picture), None)

    async def _show_working(self, tap: ButtonTap) -> None:
        said = parse_data(tap.data)
        if said is None or said.verb in LOOKS:
            return
        try:
            async with self._database.transaction() as conn:
                approval = await self._approvals.by_code(conn, said.code or "")
            if approval is not None:
                await self._settling.show_working(approval)
        except Exception:  # only a courtesy: the work goes on
            log.exception("working.not_shown", address=tap.address)

    async def _reply(self, message: ChatMessage, text: str) -> None:
        await self._say(message.address, text, reply_to=message.ref)

    async def _say(self, address: str, text: str, reply_to: str | None = None) -> None:
        group = self._board.registry.group_of(address)
        async with self._database.transaction() as conn:
            await self._board.outbox.put(
                conn,
                address=address,
                kind=PostKind.ANSWER,
                content=Content(text=text, silent=True, reply_to=reply_to),
                folder=group.folder if group else None,
            )
        self._board.wake([address])


def _is_card(post: Post, approval: Approval) -> bool:
    return post.kind is PostKind.DECISION and post.approval == approval.id


async def _answer(bridge: ChatBridge, tap: ButtonTap, answer: Answer) -> None:
    try:
        await bridge.answer(tap.tap_id, one_line(answer.text, 195), alert=answer.alert)
    except BridgeError as error:
        log.warning("tap.not_answered", address=tap.address, reason=str(error))
