"""Which chats and people were seen lately, so that the database is told only what is news to it."""

from collections import OrderedDict
from datetime import datetime

from bridges.messages import ButtonTap, ChatMessage, ChatUpdate, Person
from storage import sql
from storage.database import Connection

_REMEMBERED = 10_000
_SQL = sql.load("host", "intake")

_Fact = tuple[str, ...]


class Acquaintances:
    """Writes down chats and people whose name is new, or whom nobody has seen for an hour."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Fact] = OrderedDict()

    async def meet(self, conn: Connection, updates: list[ChatUpdate], now: datetime) -> dict[str, _Fact]:
        """Store the news of a batch; to be handed to `remember` when that has been committed."""
        hour = now.strftime("%Y%m%d%H")
        news: dict[str, _Fact] = {}
        for update in updates:
            if isinstance(update, ChatMessage):
                fact = (update.title, str(update.private), hour)
                if self._is_news(f"chat {update.address}", fact, news):
                    await conn.execute(
                        _SQL["intake.see_chat"], update.address, update.title, update.private, now
                    )
            if isinstance(update, ChatMessage | ButtonTap):
                await self._meet_person(conn, update.sender, hour, now, news)
        return news

    def remember(self, news: dict[str, _Fact]) -> None:
        for key, fact in news.items():
            self._known[key] = fact
            self._known.move_to_end(key)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    async def _meet_person(
        self, conn: Connection, person: Person, hour: str, now: datetime, news: dict[str, _Fact]
    ) -> None:
        if self._is_news(f"person {person.address}", (person.name, hour), news):
            await conn.execute(_SQL["intake.see_person"], person.address, person.name, now)

    def _is_news(self, key: str, fact: _Fact, news: dict[str, _Fact]) -> bool:
        if news.get(key, self._known.get(key)) == fact:
            return False
        news[key] = fact
        return True
