"""Whatever the network does: every chat comes to show what the outbox says, nothing twice without need."""

from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from bridges.messages import Content
from bridges.port import BridgeUnavailable, ContentRefused, DeliveryUnknown, RateLimited
from host.outgoing.contents import shows_nothing
from host.outgoing.outbox import PostKind
from tests.conftest import TestServer
from tests.host.conversation.bridges import LIMIT
from tests.host.conversation.machines import HouseMachine, run_machine

CHATS = ("tg:1", "tg:2")
TEXTS = st.sampled_from(["", "a", "b", "a" * LIMIT + "b", "a" * LIMIT + "c" * LIMIT + "d"])
SLOTS = st.sampled_from([None, "one", "two"])


class SenderMachine(HouseMachine):
    """Posts come and change while the network fails and the host is killed."""

    def prepare(self) -> None:
        self.posts: dict[UUID, str] = {}
        self.doubtful = 0  #: messages that may stand there twice
        self.left = 0  #: messages that the network does not let us take back

    @rule(chat=st.sampled_from(CHATS), kind=st.sampled_from(PostKind), text=TEXTS, slot=SLOTS)
    def put(self, chat: str, kind: PostKind, text: str, slot: str | None) -> None:
        self.run(self._put(chat, kind, text, slot))

    async def _put(self, chat: str, kind: PostKind, text: str, slot: str | None) -> None:
        async with self.house.database.transaction() as conn:
            post = await self.house.outbox.put(
                conn, address=chat, kind=kind, content=Content(text=text), slot=slot and f"{chat} {slot}"
            )
        self.posts[post] = chat
        self.house.outbox.wake(chat)
        await self.go_on(1)

    @rule(which=st.integers(0, 50), text=TEXTS)
    def revise(self, which: int, text: str) -> None:
        if self.posts:
            self.run(self._revise(list(self.posts)[which % len(self.posts)], text))

    async def _revise(self, post: UUID, text: str) -> None:
        async with self.house.database.transaction() as conn:
            await self.house.outbox.revise(conn, post, Content(text=text))
        self.house.outbox.wake(self.posts[post])

    @rule(
        chat=st.sampled_from(CHATS),
        method=st.sampled_from(["send", "edit", "delete"]),
        error=st.sampled_from([RateLimited(3), BridgeUnavailable("down"), ContentRefused("no")]),
    )
    def the_network_refuses(self, chat: str, method: str, error: Exception) -> None:
        self.left += method == "delete" and isinstance(error, ContentRefused)
        self.house.bridge.fail(chat, error, method=method)

    @rule(
        chat=st.sampled_from(CHATS),
        method=st.sampled_from(["send", "edit", "delete"]),
        delivered=st.booleans(),
    )
    def the_network_does_not_confirm(self, chat: str, method: str, delivered: bool) -> None:
        self.doubtful += delivered and method == "send"
        self.house.bridge.fail(chat, DeliveryUnknown("reset"), method=method, delivered=delivered)

    @rule(chat=st.sampled_from(CHATS), which=st.integers(0, 20))
    def somebody_deletes_a_message(self, chat: str, which: int) -> None:
        shown = self.house.bridge.chats.get(chat, {})
        if shown:
            del shown[list(shown)[which % len(shown)]]

    @rule(pieces=st.integers(1, 20), seconds=st.sampled_from([0, 1, 5]))
    def time_passes(self, pieces: int, seconds: int) -> None:
        self.run(self.go_on(pieces))
        self.run(self.house.clock.advance(seconds))

    @rule()
    def the_host_is_killed(self) -> None:
        self.crash_and_restart()

    async def check_the_end(self) -> None:
        await self.until(self._at_rest)
        noted = set()
        async with self.house.database.transaction() as conn:
            rows = await conn.fetch("SELECT id, address, refs, failed, content, kind FROM host.posts")
        for row in rows:
            noted |= {(row["address"], ref) for ref in row["refs"]}
            if row["failed"] is None:
                self._check_post(
                    row["address"], row["refs"], Content(text=row["content"]["text"]), row["kind"]
                )
        shown = {(chat, ref) for chat, messages in self.house.bridge.chats.items() for ref in messages}
        assert len(shown - noted) <= self.doubtful + self.left + self.crashes * len(CHATS)

    def _check_post(self, address: str, refs: list[str], content: Content, kind: str) -> None:
        """What is still there reads as it should; only people and unconfirmed previews make it less."""
        parts = () if shows_nothing(content) else self.house.bridge.parts(content)
        assert len(refs) <= len(parts)
        assert len(refs) == len(parts) or kind == "preview"
        chat = self.house.bridge.chats.get(address, {})
        for ref, part in zip(refs, parts, strict=False):
            assert ref not in chat or chat[ref].body == part.body

    async def _at_rest(self) -> bool:
        left = await self.house.database.fetchval(
            "SELECT count(*) FROM host.posts WHERE sent_version < version AND failed IS NULL"
        )
        return bool(left == 0)


QUICK = settings(
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.reuse, Phase.generate],  # a failure is shrunk by the long run, which has the time
)
LONG = settings(QUICK, max_examples=250, stateful_step_count=50, phases=list(Phase))


def test_the_sender_keeps_its_promises(postgres: TestServer) -> None:
    run_machine(SenderMachine, postgres, QUICK)


@pytest.mark.full
def test_the_sender_keeps_its_promises_at_length(postgres: TestServer) -> None:
    run_machine(SenderMachine, postgres, LONG)
