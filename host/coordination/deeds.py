"""Carrying out what an agent writes into intermute: under its own name, once per key."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from demarch.errors import DemarchError, NotFound
from demarch.kernel import Outcome
from host.coordination.calls import (
    CHECK,
    REGISTER,
    RELEASE,
    RESERVE,
    SEND,
    WRITES,
    Register,
    Release,
    Reserve,
    Send,
    read,
)
from host.coordination.conflicts import span
from host.coordination.identity import PREFIX, Me, lane_of
from host.coordination.port import Coordination, Holding, InLine, NewLetter, Presentation, Wanted
from host.coordination.waits import WaitStore
from host.phrases import listed, quoted
from storage.clock import Clock

#: members that the host adds to the arguments: who asked, and where, whatever becomes of the group's project
AS, PROJECT = "as", "project"


class Deeds:
    """Implements `host.tools.writes.OtherWrites`."""

    def __init__(self, coordination: Coordination, waits: WaitStore, clock: Clock) -> None:
        self._coordination = coordination
        self._waits = waits
        self._clock = clock

    def has(self, operation: str) -> bool:
        return operation in WRITES

    async def perform(self, operation: str, arguments: Mapping[str, Any], key: str) -> Outcome:
        """Raises DemarchError; Held when somebody else is in the way."""
        me, meant = _whose(arguments)
        key = _id(key)
        if operation == REGISTER:
            return await self._register(me, read(Register, operation, meant))
        await self._coordination.arrive(me)
        if operation == SEND:
            return await self._send(me, read(Send, operation, meant), key)
        if operation == RESERVE:
            return await self._reserve(me, read(Reserve, operation, meant), key)
        return await self._release(me, read(Release, operation, meant))

    async def written(self, operation: str, arguments: Mapping[str, Any], key: str) -> Outcome | None:
        """What the write with this key did; None when it did not happen or may be done again unharmed."""
        me, meant = _whose(arguments)
        key = _id(key)
        if operation == SEND and await self._coordination.sent(me, key):
            return Outcome(text="The message is in their inbox.", data={})
        if operation == RESERVE and (held := await self._coordination.reserved(me, key)) is not None:
            return self._reserved([held])
        if operation == RESERVE and await self._coordination.waits(me, key):
            return _in_line(None)
        if operation == RELEASE and not await self._theirs(me, read(Release, operation, meant)):
            return Outcome(text="Nothing of it is held any more.", data={})
        return None

    async def _register(self, me: Me, meant: Register) -> Outcome:
        metadata = {"agent_kind": "intercom", **({"objective": meant.objective} if meant.objective else {})}
        presentation = Presentation(
            capabilities=meant.capabilities, status=meant.status or "active", metadata=metadata
        )
        await self._coordination.present(me, presentation)
        return Outcome(
            text=f"The other agents of {quoted(me.project)} know you as {me.agent}.",
            data={"agent_id": me.agent, "project": me.project},
        )

    async def _send(self, me: Me, meant: Send, key: str) -> Outcome:
        letter = NewLetter(
            to=meant.to,
            cc=meant.cc,
            body=meant.body,
            subject=meant.subject,
            thread=meant.thread_id,
            topic=meant.topic,
            importance=meant.importance,
            ack_required=meant.ack_required,
        )
        sent = await self._coordination.send(me, letter, key)
        reached = [each for each in (*meant.to, *meant.cc) if each not in sent.denied]
        text = f"The message to {_named(reached)} is in their inbox."
        if sent.denied:
            text += f" Not let through by their own rule: {_named(sent.denied)}."
        return Outcome(
            text=text, data={"message_id": key, "cursor": sent.cursor, "denied": list(sent.denied)}
        )

    async def _reserve(self, me: Me, meant: Reserve, key: str) -> Outcome:
        """What it holds already lasts longer; that only after the rest was granted."""
        lasts = timedelta(minutes=meant.minutes)
        own = await self._coordination.own(me)
        held = {each.pattern: each for each in own if each.exclusive is not meant.shared}
        fresh = [path for path in dict.fromkeys(meant.paths) if path not in held]
        granted: list[Holding] = []
        if fresh:
            wanted = Wanted(
                patterns=fresh,
                exclusive=not meant.shared,
                reason=meant.reason,
                lasts=lasts,
                waits=timedelta(minutes=meant.wait_minutes),
            )
            got = await self._ask(me, wanted, key)
            if isinstance(got, InLine):
                return _in_line(got.place)
            granted += got
        for path in dict.fromkeys(meant.paths):
            if path in held:
                granted.append(await self._longer(me, held[path], lasts))
        return self._reserved(granted)

    async def _ask(self, me: Me, wanted: Wanted, key: str) -> Sequence[Holding] | InLine:
        """Whoever may come to stand in line is noted before, and forgotten when it need not."""
        if not wanted.waits:
            return await self._coordination.reserve(me, wanted, key)
        await self._waits.add(me, key, wanted.patterns)
        try:
            got = await self._coordination.reserve(me, wanted, key)
        except DemarchError:
            await self._waits.drop(key)
            raise
        if isinstance(got, InLine):
            await self._waits.join(key)
        else:
            await self._waits.drop(key)
        return got

    async def _longer(self, me: Me, held: Holding, lasts: timedelta) -> Holding:
        """Never shorter: it was promised for that long."""
        if held.expires_at >= self._clock.now() + lasts:
            return held
        return await self._coordination.renew(me, held.id, lasts)

    async def _release(self, me: Me, meant: Release) -> Outcome:
        left = await self._coordination.leave_line(me, None if meant.everything else meant.paths)
        held = await self._theirs(me, meant)
        if not held and not left:
            raise NotFound("You hold nothing of that.")
        for place in left:
            await self._waits.drop(place)
        for each in held:
            await self._coordination.release(me, each.id)
        waited = [path for paths in left.values() for path in paths]
        paths = list(dict.fromkeys([*(each.pattern for each in held), *waited]))
        missing = [path for path in meant.paths if path not in paths]
        text = f"Released: {listed([quoted(path, 200) for path in paths], 20)}."
        if missing:
            text += f" Not held by you: {listed([quoted(path, 200) for path in missing], 20)}."
        return Outcome(text=text, data={"released": paths})

    async def _theirs(self, me: Me, meant: Release) -> Sequence[Holding]:
        own = await self._coordination.own(me)
        return [each for each in own if meant.everything or each.pattern in meant.paths]

    def _reserved(self, held: Sequence[Holding]) -> Outcome:
        now = self._clock.now()
        paths = listed([quoted(each.pattern, 200) for each in held], 20)
        least = min(each.expires_at for each in held) - now
        rows = [
            {"path": each.pattern, "token": each.token, "expires_at": each.expires_at.isoformat()}
            for each in held
        ]
        return Outcome(text=f"Reserved for {span(least)}: {paths}.", data={"reservations": rows})


def pinned(me: Me, meant: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as they are put on record and carried out, now or after a decision."""
    return {**meant, AS: me.agent, PROJECT: me.project}


def _whose(arguments: Mapping[str, Any]) -> tuple[Me, dict[str, Any]]:
    meant = {name: value for name, value in arguments.items() if name not in (AS, PROJECT)}
    agent = str(arguments[AS])
    return Me(agent=agent, name=lane_of(agent) or agent, project=str(arguments[PROJECT])), meant


def _id(key: str) -> str:
    """An id that has no slash: it stands in the paths of intermute's interface."""
    return key.replace("/", ".")


def _in_line(place: int | None) -> Outcome:
    where = "You stand in line" if place is None else f"You are number {place} in line"
    return Outcome(
        text=f"Somebody holds it. {where}; you are told here when it is yours. {CHECK} shows who holds it.",
        data={"status": "waiting", "place": place},
    )


def _named(agents: Sequence[str]) -> str:
    return listed([quoted(each.removeprefix(PREFIX), 80) for each in agents], 10)
