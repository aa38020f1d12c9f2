"""The parts of Telegram's JSON we read, checked once; everything else in it is ignored."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

SmallInt = Field(ge=-(2**53), le=2**53)


class Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class User(Wire):
    id: int = SmallInt
    is_bot: bool = False
    first_name: str = ""
    last_name: str = ""
    username: str = ""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.username or str(self.id)


class Chat(User):
    type: str
    title: str = ""

    @property
    def name(self) -> str:
        return self.title or super().name


class Entity(Wire):
    type: str
    offset: int = Field(ge=0)
    length: int = Field(ge=0)
    user: User | None = None


class Sticker(Wire):
    emoji: str = ""


class Question(Wire):
    question: str = ""


class RepliedMessage(Wire):
    message_id: int
    sender: User | None = Field(default=None, alias="from")


class Message(RepliedMessage):
    date: int
    chat: Chat
    sender_chat: Chat | None = None
    message_thread_id: int | None = None
    is_topic_message: bool = False
    reply_to_message: RepliedMessage | None = None
    migrate_to_chat_id: int | None = None
    text: str | None = None
    caption: str = ""
    entities: tuple[Entity, ...] = ()
    caption_entities: tuple[Entity, ...] = ()
    photo: Any = None
    video: Any = None
    animation: Any = None
    video_note: Any = None
    voice: Any = None
    audio: Any = None
    document: Any = None
    sticker: Sticker | None = None
    location: Any = None
    venue: Any = None
    contact: Any = None
    poll: Question | None = None
    dice: Sticker | None = None


class CallbackQuery(Wire):
    id: str = Field(min_length=1, max_length=256)
    sender: User = Field(alias="from")
    message: Message | None = None
    data: str | None = None


class Update(Wire):
    update_id: int
    message: Message | None = None
    channel_post: Message | None = None
    callback_query: CallbackQuery | None = None
