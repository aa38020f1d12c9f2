"""The users: what they write, tap and do to their chats."""

import time
from typing import Any

from tests.servers.telegram.world import BOT_ID, BOT_NAME, EPOCH, Chat, Json, Kept, Tap, World, entities_of

_NAMES = ("Ana", "Ben", "Cleo", "Dan", "Eva", "Finn")


class People:
    """Chats below zero are supergroups, those above are private chats with the user of the same id."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.said: dict[int, float] = {}  #: update id -> the moment the update was there

    def add_chat(
        self,
        chat: int,
        *,
        title: str = "",
        kind: str = "",
        forum: bool = False,
        threads: tuple[int, ...] = (),
    ) -> Chat:
        """Make a chat the bot is in (again, with new properties)."""
        known = self.world.chats.get(chat)
        kind = kind or ("private" if chat > 0 else "supergroup")
        title = title or (name_of(chat) if chat > 0 else f"Group {-chat}")
        if known is None:
            known = self.world.chats[chat] = Chat(id=chat, type=kind, title=title)
        known.type, known.title = kind, title
        known.forum = known.forum or forum or bool(threads)
        known.threads |= set(threads)
        return known

    def say(
        self,
        chat: int,
        user: int,
        text: str | None = None,
        *,
        name: str = "",
        thread: int | None = None,
        reply_to: int | None = None,
        kind: str = "message",
        **fields: Any,
    ) -> int:
        """Somebody writes. More fields (photo=[...], caption=..., sender_chat=...) go into the message as is.

        Returns the update's id.
        """
        place = self.world.chats.get(chat) or self.add_chat(chat)
        shown = self.world.add(place, thread=thread, text=text or "", entities=[], buttons=[], by_bot=False)
        body: Json = {
            "message_id": shown.message_id,
            "date": EPOCH,
            "chat": place.wire(),
            "from": user_json(user, name),
        }
        if text is not None:
            body["text"] = text
            if entities := entities_of(text):
                body["entities"] = entities
        if thread is not None:
            place.threads.add(thread)
            body |= {"message_thread_id": thread, "is_topic_message": True}
        if reply_to is not None:
            body["reply_to_message"] = self._replied(place, reply_to)
        return self._happened(kind, body | fields)

    def tap(
        self, chat: int, message_id: int, data: str, user: int, *, stale: bool = False, name: str = ""
    ) -> int:
        """Somebody taps a button; `stale` for one that their client still shows. Returns the update's id."""
        shown = self.world.chat(chat).messages[message_id]
        assert stale or data in shown.data, f"{data!r} is not on the message, it has {shown.data}"
        tap = Tap(f"tap-{len(self.world.taps) + 1}", chat, message_id, user)
        self.world.taps[tap.id] = tap
        query = {
            "id": tap.id,
            "from": user_json(user, name),
            "message": self.world.wire(shown),
            "chat_instance": str(chat),
            "data": data,
        }
        return self._happened("callback_query", query)

    def keep_file(self, file_id: str, data: bytes, *, path: str = "", size: int | None = None) -> Kept:
        """A file somebody uploaded; `size` is what Telegram says of it, right or wrong."""
        kept = Kept(data, path or f"documents/{file_id}", len(data) if size is None else size)
        self.world.files[file_id] = kept
        return kept

    def push(self, body: Json) -> int:
        """Any update at all, also a malformed one; it gets the next id."""
        (kind, value), *_ = body.items()
        return self._happened(kind, value)

    def expire_taps(self) -> None:
        for tap in self.world.taps.values():
            tap.expired = True

    def block(self, chat: int, reason: str = "bot was blocked by the user") -> None:
        self.add_chat(chat).blocked = reason

    def unblock(self, chat: int) -> None:
        self.world.chat(chat).blocked = ""

    def move(self, chat: int, to: int) -> None:
        """A group becomes a supergroup."""
        old = self.add_chat(chat)
        old.moved_to = to
        self.add_chat(to, title=old.title)

    def set_webhook(self, url: str) -> None:
        self.world.webhook = url
        self.world.notify()

    @property
    def polling(self) -> int:
        """How many getUpdates wait at this moment."""
        return self.world.polling

    @property
    def pending(self) -> list[int]:
        """Updates the bot has not confirmed."""
        return [update["update_id"] for update in self.world.pending]

    def _replied(self, chat: Chat, message_id: int) -> Json:
        shown = chat.messages.get(message_id)
        if shown is not None and shown.by_bot:
            return self.world.wire(shown)
        return {
            "message_id": message_id,
            "date": EPOCH,
            "chat": chat.wire(),
            "text": shown.text if shown else "",
        }

    def _happened(self, kind: str, body: Any) -> int:
        at = time.monotonic()
        update_id = self.world.push(kind, body)
        self.said[update_id] = at
        return update_id


def user_json(user: int, name: str = "") -> Json:
    if user == BOT_ID:
        return {"id": user, "is_bot": True, "first_name": "Intercom", "username": BOT_NAME}
    return {"id": user, "is_bot": False, "first_name": name or name_of(user), "username": f"user{user}"}


def name_of(user: int) -> str:
    return _NAMES[user % len(_NAMES)]
