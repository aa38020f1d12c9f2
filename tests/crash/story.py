"""The story that is told while the host dies in it: three questions, two cards, two decisions."""

from collections import Counter
from collections.abc import Callable

from tests.servers.telegram import TelegramServer
from tests.servers.telegram.world import Shown

ANA = 1000  #: the owner, in her private chat with the bot
PATIENCE = 20.0

ASK = "what should I work on"
CREATE = "create an issue: mend the fence"
START = "start a run to refactor auth"
GOAL = "refactor auth"
STALE = "out of date"


class Story:
    """Ana's side of it. Each step waits for what she would see, however often the host dies meanwhile."""

    def __init__(self, server: TelegramServer) -> None:
        self._server = server

    async def ask(self) -> None:
        self._server.say(ANA, ANA, ASK)
        await self._see(lambda text: "work" in text.lower() or "ready" in text.lower())

    async def create_issue(self) -> None:
        self._server.say(ANA, ANA, CREATE)
        await self._see(lambda text: "mend the fence" in text)

    async def start_run(self) -> None:
        self._server.say(ANA, ANA, START)
        await self._decide("approve", "Approved by")

    async def reject_gate(self) -> None:
        await self._decide("reject", "Rejected by")

    def copies(self) -> Counter[str]:
        """How often each text stands in the chat."""
        return Counter(message.text for message in self._server.messages(ANA))

    async def _see(self, fits: Callable[[str], bool]) -> Shown:
        def seen() -> Shown | None:
            return next((shown for shown in self._server.messages(ANA) if fits(shown.text)), None)

        return await self._wait(seen)

    async def _decide(self, verb: str, outcome: str) -> None:
        """Tap the newest card with the verb; a copy whose delivery was in doubt refuses: tap the other."""
        card = await self._card(verb, after=0)
        self._tap(card, verb)

        def decided() -> Shown | None:
            shown = self._server.messages(ANA)
            return next((each for each in shown if outcome in each.text and GOAL in each.text), None)

        def told() -> Shown | None:
            refused = any(STALE in answer.text for answer in self._server.answers)
            return decided() or (card if refused else None)

        if await self._wait(told) is card and not decided():
            self._tap(await self._card(verb, after=card.message_id), verb)
            await self._wait(decided)

    async def _card(self, verb: str, *, after: int) -> Shown:
        def shown() -> Shown | None:
            cards = [card for card in self._server.messages(ANA) if card.message_id > after]
            return next((card for card in reversed(cards) if _data(card, verb)), None)

        return await self._wait(shown)

    def _tap(self, card: Shown, verb: str) -> None:
        data = _data(card, verb)
        assert data is not None
        self._server.tap(ANA, card.message_id, data, ANA)

    async def _wait(self, look: Callable[[], Shown | None]) -> Shown:
        try:
            found = await self._server.wait_for(look, within=PATIENCE)
        except TimeoutError as error:
            chat = [(shown.text, shown.data) for shown in self._server.messages(ANA)]
            answers = [answer.text for answer in self._server.answers]
            raise AssertionError(f"Ana sees only {chat}; her taps were answered {answers}") from error
        assert found is not None
        return found


def _data(card: Shown, verb: str) -> str | None:
    return next((data for data in card.data if data.startswith(f"{verb}:")), None)
