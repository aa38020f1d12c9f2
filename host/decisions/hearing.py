"""Hearing people: a tap on a card or a word in a chat, matched with the approval it is meant for."""

import asyncio
from collections.abc import Callable

import structlog

from bridges.messages import ButtonTap, ChatMessage, Content, Person
from bridges.port import BridgeError, ChatBridge
from host.decisions.approvals import LOOKS, VERBS, Approval
from host.decisions.approvals_store import Approvals
from host.decisions.board import Board
from host.decisions.cards import OUT_OF_DATE
from host.decisions.codes import Keyword, Verb, parse_data, parse_keyword
from host.decisions.deciding import Answer, Deciding
from host.decisions.errands import Errands, first
from host.decisions.looking import Looking
from host.decisions.settling import Settling
from host.outgoing.outbox import Post, PostKind
from host.phrases import listed, one_line
from storage.clock import Clock
from storage.database import Database

log = structlog.get_logger()

SLOW = 0.7  #: seconds after which a tap is answered with "Working…"
FAULT = Answer(text="Not done: an internal fault; it is logged. Tap again to retry.", alert=True)
#: The network shows a card a moment before we have noted which message it is; a tap may be that fast.
UNNOTED, UNNOTED_TRIES = 0.1, 20


class Hearing:
    def __init__(
        self,
        *,
        database: Database,
        approvals: Approvals,
        board: Board,
        settling: Settling,
        deciding: Deciding,
        looking: Looking,
        errands: Errands,
        clock: Clock,
    ) -> None:
        self._database = database
        self._approvals = approvals
        self._board = board
        self._settling = settling
        self._deciding = deciding
        self._looking = looking
        self._errands = errands
        self._clock = clock

    async def tap(self, tap: ButtonTap, bridge: ChatBridge) -> None:
        """Always answered, within a second; returns when nothing of it can be lost any more."""
        claimed = asyncio.Event()

        async def meanwhile(work: asyncio.Task[Answer]) -> None:
            await first(work, self._clock.sleep(SLOW))
            if work.done():
                await _answer(bridge, tap, work.result())
                return
            await _answer(bridge, tap, Answer(text="Working…"))
            await self._show_working(tap)
            await first(work, claimed.wait())

        await self._errands.carry(self._tapped(tap, claimed.set), meanwhile)

    async def keyword(self, message: ChatMessage) -> bool:
        """True when the message was meant for the desk, and then it is nobody else's."""
        said = parse_keyword(message.text)
        if said is None or self._board.registry.group_of(message.address) is None:
            return False
        found = await self._meant(said, message)
        if found is None:
            return False
        claimed = asyncio.Event()

        async def meanwhile(work: asyncio.Task[None]) -> None:
            await first(work, claimed.wait())

        await self._errands.carry(self._worded(said.verb, found, message, claimed.set), meanwhile)
        return True

    async def _tapped(self, tap: ButtonTap, claimed: Callable[[], None]) -> Answer:
        try:
            said = parse_data(tap.data)
            approval = None if said is None else await self._of_card(tap, said)
            if said is None or approval is None:
                log.info("tap.out_of_date", address=tap.address, person=tap.sender.address)
                return Answer(text=OUT_OF_DATE)
            return await self._said(said.verb, approval, tap.sender, tap.address, tap.ref, claimed)
        except Exception:  # whatever it was, the tap is answered
            log.exception("tap.failed", address=tap.address)
            return FAULT

    async def _worded(
        self, verb: Verb, found: Approval | Answer, message: ChatMessage, claimed: Callable[[], None]
    ) -> None:
        try:
            answer = found if isinstance(found, Answer) else await self._typed(verb, found, message, claimed)
        except Exception:  # the person must hear of it
            log.exception("keyword.failed", address=message.address)
            answer = FAULT
        try:
            await self._reply(message, answer.text)
        except Exception:  # the decision itself is stored and shown
            log.exception("keyword.not_answered", address=message.address)

    async def _of_card(self, tap: ButtonTap, said: Keyword) -> Approval | None:
        """The approval whose card was tapped: the stored message and the code on the button must agree."""
        async with self._database.transaction() as conn:
            approval = await self._approvals.by_code(conn, said.code or "")
        if approval is None:
            return None
        for _ in range(UNNOTED_TRIES):
            # Asked before the look at the messages: what is noted in between is then seen by that look.
            unnoted = await self._unnoted(approval, tap.address)
            post = await self._board.outbox.showing(tap.address, tap.ref)
            if post is not None:
                return approval if _is_card(post, approval) else None
            if not unnoted:
                return None
            await self._clock.sleep(UNNOTED)
        return None

    async def _unnoted(self, approval: Approval, address: str) -> bool:
        async with self._database.transaction() as conn:
            posts = await self._board.outbox.of_approval(conn, approval.id)
        return any(post.address == address and not post.refs and post.due for post in posts)

    async def _said(
        self,
        verb: Verb,
        approval: Approval,
        person: Person,
        address: str,
        ref: str | None,
        claimed: Callable[[], None],
    ) -> Answer:
        if verb in LOOKS and verb in VERBS[approval.kind]:
            return await self._looking.look(approval, verb, person, address, ref)
        return await self._deciding.decide(approval, verb, person, address, claimed)

    async def _typed(
        self, verb: Verb, approval: Approval, message: ChatMessage, claimed: Callable[[], None]
    ) -> Answer:
        if verb not in VERBS[approval.kind]:
            words = listed([each.upper() for each in VERBS[approval.kind]])
            return Answer(text=f"The card {approval.code} takes {words}.")
        return await self._said(verb, approval, message.sender, message.address, message.ref, claimed)

    async def _meant(self, said: Keyword, message: ChatMessage) -> Approval | Answer | None:
        """Which card a word is about: by code, by reply, or because only one can be meant."""
        if said.code is not None:
            return await self._by_code(said.code, message.address)
        if message.reply_to is not None:
            return await self._replied_to(message.address, message.reply_to)
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

    async def _replied_to(self, address: str, ref: str) -> Approval | None:
        post = await self._board.outbox.showing(address, ref)
        if post is None or post.approval is None:
            return None
        async with self._database.transaction() as conn:
            return await self._approvals.by_id(conn, post.approval)

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
        group = self._board.registry.group_of(message.address)
        async with self._database.transaction() as conn:
            await self._board.outbox.put(
                conn,
                address=message.address,
                kind=PostKind.ANSWER,
                content=Content(text=text, silent=True, reply_to=message.ref),
                folder=group.folder if group else None,
            )
        self._board.wake([message.address])


def _is_card(post: Post, approval: Approval) -> bool:
    return post.kind is PostKind.DECISION and post.approval == approval.id


async def _answer(bridge: ChatBridge, tap: ButtonTap, answer: Answer) -> None:
    try:
        await bridge.answer(tap.tap_id, one_line(answer.text, 195), alert=answer.alert)
    except BridgeError as error:
        log.warning("tap.not_answered", address=tap.address, reason=str(error))
