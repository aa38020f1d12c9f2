"""The Bot API methods, with the rules that matter to a bot and Telegram's words when one is broken."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from tests.servers.telegram.markup import Entity, parse_html, trim, units
from tests.servers.telegram.refusal import BadRequest, Refusal
from tests.servers.telegram.world import BOT_ID, BOT_NAME, Chat, Draft, Json, Shown, World

Params = dict[str, Any]  #: form fields; files are bytes

DRAFT_LASTS = 30.0
LARGEST_FILE = 20 * 1024 * 1024

_STYLES = {None, "danger", "success", "primary"}
_WEBHOOK = (
    "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
_SECOND = "terminated by other getUpdates request; make sure that only one bot instance is running"
_EXPIRED = "query is too old and response timeout expired or query ID is invalid"
_UNCHANGED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)


async def get_me(world: World, params: Params) -> Json:
    del world, params
    return {
        "id": BOT_ID,
        "is_bot": True,
        "first_name": "Intercom",
        "username": BOT_NAME,
        "can_join_groups": True,
        "can_read_all_group_messages": False,
    }


async def get_webhook_info(world: World, params: Params) -> Json:
    del params
    return {
        "url": world.webhook,
        "has_custom_certificate": False,
        "pending_update_count": len(world.pending),
    }


async def set_webhook(world: World, params: Params) -> bool:
    world.webhook = params.get("url", "")
    world.notify()
    return True


async def delete_webhook(world: World, params: Params) -> bool:
    del params
    world.webhook = ""
    return True


async def set_my_commands(world: World, params: Params) -> bool:
    world.commands = json.loads(params["commands"])
    if len(world.commands) > 100:
        raise BadRequest("BOT_COMMANDS_TOO_MUCH")
    return True


async def get_updates(world: World, params: Params) -> list[Json]:
    """Confirms what is before the offset for good, then waits until there is something."""
    if world.webhook:
        raise Refusal(409, f"Conflict: {_WEBHOOK}")
    world.poller += 1
    number = world.poller
    world.notify()
    if "allowed_updates" in params:
        world.allowed = json.loads(params["allowed_updates"]) or None
    offset = int(params.get("offset", 0))
    world.pending = [update for update in world.pending if update["update_id"] >= offset]
    limit = min(max(int(params.get("limit", 100)), 1), 100)
    world.polling += 1
    try:
        async with asyncio.timeout(float(params.get("timeout", 0))):
            while number == world.poller and not _allowed(world):
                await world.changed().wait()
    except TimeoutError:
        pass
    finally:
        world.polling -= 1
        world.notify()
    if number != world.poller:
        raise Refusal(409, f"Conflict: {_SECOND}")
    return _allowed(world)[:limit]


def _allowed(world: World) -> list[Json]:
    if world.allowed is not None:
        world.pending = [
            update for update in world.pending if len(update) < 2 or set(update) & set(world.allowed)
        ]
    return world.pending


async def send_message(world: World, params: Params) -> Json:
    chat = world.reachable(int(params["chat_id"]))
    text, entities = _text(params, "text", 4096)
    if not text:
        raise BadRequest("message text is empty")
    return world.wire(_add(world, chat, params, text, entities, None))


async def send_photo(world: World, params: Params) -> Json:
    chat = world.reachable(int(params["chat_id"]))
    picture = params.get("photo")
    if not isinstance(picture, bytes) or not picture.startswith((b"\x89PNG", b"\xff\xd8")):
        raise BadRequest("IMAGE_PROCESS_FAILED")
    text, entities = _text(params, "caption", 1024)
    return world.wire(_add(world, chat, params, text, entities, picture))


async def send_document(world: World, params: Params) -> Json:
    chat = world.reachable(int(params["chat_id"]))
    data, name = params.get("document"), params.get("document.filename", "")
    if not isinstance(data, bytes):
        raise BadRequest("wrong file identifier/HTTP URL specified")
    if not data:
        raise BadRequest("file must be non-empty")
    if len(data) > 50 * 1024 * 1024:
        raise Refusal(413, "Request Entity Too Large")
    text, entities = _text(params, "caption", 1024)
    return world.wire(_add(world, chat, params, text, entities, None, (name, data)))


async def send_message_draft(world: World, params: Params) -> bool:
    chat = world.reachable(int(params["chat_id"]))
    if chat.type != "private":
        raise BadRequest("chat_id is invalid: drafts are shown in private chats only")
    if int(params["draft_id"]) == 0:
        raise BadRequest("draft_id must be non-zero")
    text, _ = _text(params, "text", 4096)
    chat.draft = Draft(int(params["draft_id"]), text or "Thinking…", time.monotonic() + DRAFT_LASTS)
    return True


async def get_file(world: World, params: Params) -> Json:
    kept = world.files.get(params["file_id"])
    if kept is None:
        raise BadRequest("wrong file_id or the file is temporarily unavailable")
    if kept.size > LARGEST_FILE:
        raise BadRequest("file is too big")
    return {
        "file_id": params["file_id"],
        "file_unique_id": "u",
        "file_size": kept.size,
        "file_path": kept.path,
    }


async def edit_message_text(world: World, params: Params) -> Json:
    shown = _own(world, params)
    if shown.picture is not None or shown.document is not None:
        raise BadRequest("there is no text in the message to edit")
    text, entities = _text(params, "text", 4096)
    if not text:
        raise BadRequest("message text is empty")
    return _change(world, shown, params, text, entities)


async def edit_message_caption(world: World, params: Params) -> Json:
    shown = _own(world, params)
    if shown.picture is None and shown.document is None:
        raise BadRequest("there is no caption in the message to edit")
    text, entities = _text(params, "caption", 1024)
    return _change(world, shown, params, text, entities)


async def edit_message_reply_markup(world: World, params: Params) -> Json:
    shown = _own(world, params)
    return _change(world, shown, {"text": shown.source} | params, shown.text, shown.entities)


async def delete_message(world: World, params: Params) -> bool:
    chat = world.reachable(int(params["chat_id"]))
    world.message(chat, int(params["message_id"]), "message to delete not found").deleted = True
    return True


async def answer_callback_query(world: World, params: Params) -> bool:
    tap = world.taps.get(params["callback_query_id"])
    if tap is None or tap.answered or tap.expired:
        raise BadRequest(_EXPIRED)
    if units(params.get("text", "")) > 200:
        raise BadRequest("MESSAGE_TOO_LONG")
    tap.answered = True
    return True


async def send_chat_action(world: World, params: Params) -> bool:
    chat = world.reachable(int(params["chat_id"]))
    thread = params.get("message_thread_id")
    if thread is not None and int(thread) not in chat.threads | {1}:
        raise BadRequest("message thread not found")
    return True


Method = Callable[[World, Params], Awaitable[Any]]

METHODS: dict[str, Method] = {
    "getMe": get_me,
    "getUpdates": get_updates,
    "getWebhookInfo": get_webhook_info,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "setMyCommands": set_my_commands,
    "sendMessage": send_message,
    "sendPhoto": send_photo,
    "sendDocument": send_document,
    "sendMessageDraft": send_message_draft,
    "getFile": get_file,
    "editMessageText": edit_message_text,
    "editMessageCaption": edit_message_caption,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "deleteMessage": delete_message,
    "answerCallbackQuery": answer_callback_query,
    "sendChatAction": send_chat_action,
}


def _text(params: Params, name: str, limit: int) -> tuple[str, list[Entity]]:
    source = params.get(name, "")
    mode = params.get("parse_mode", "")
    if mode.lower() not in ("", "html"):
        raise BadRequest("unsupported parse_mode")
    text, entities = parse_html(source) if mode else (source, [])
    text, entities = trim(text, entities)
    if units(text) > limit:
        raise BadRequest("message is too long" if name == "text" else "message caption is too long")
    return text, entities


def _buttons(params: Params) -> list[list[Json]]:
    rows: list[list[Json]] = json.loads(params.get("reply_markup") or "{}").get("inline_keyboard", [])
    for button in (button for row in rows for button in row):
        if not button.get("text", "").strip():
            raise BadRequest("inline keyboard button text must be non-empty")
        if not 1 <= len(button.get("callback_data", "").encode()) <= 64 or button.get("style") not in _STYLES:
            raise BadRequest("BUTTON_DATA_INVALID")
    return rows


def _add(
    world: World,
    chat: Chat,
    params: Params,
    text: str,
    entities: list[Entity],
    picture: bytes | None,
    document: tuple[str, bytes] | None = None,
) -> Shown:
    buttons = _buttons(params)
    thread = int(params["message_thread_id"]) if "message_thread_id" in params else None
    if thread is not None and thread not in chat.threads:
        raise BadRequest("message thread not found")  # also for thread 1: General is no thread when sending
    reply = json.loads(params.get("reply_parameters") or "{}")
    answered = reply.get("message_id")
    if answered is not None and answered not in chat.messages:
        if not reply.get("allow_sending_without_reply"):
            raise BadRequest("message to be replied not found")
        answered = None
    return world.add(
        chat,
        thread=thread,
        text=text,
        entities=entities,
        buttons=buttons,
        source=params.get("text", params.get("caption", "")),
        picture=picture,
        document=document,
        silent=params.get("disable_notification") == "true",
        reply_to=answered,
    )


def _own(world: World, params: Params) -> Shown:
    chat = world.reachable(int(params["chat_id"]))
    shown = world.message(chat, int(params["message_id"]), "message to edit not found")
    if not shown.by_bot:
        raise BadRequest("message can't be edited")
    return shown


def _change(world: World, shown: Shown, params: Params, text: str, entities: list[Entity]) -> Json:
    buttons = _buttons(params)
    if (text, entities, buttons) == (shown.text, shown.entities, shown.buttons):
        raise BadRequest(_UNCHANGED)
    shown.text, shown.entities, shown.buttons = text, entities, buttons
    shown.source = str(params.get("text") or params.get("caption", ""))
    shown.edits += 1
    return world.wire(shown)
