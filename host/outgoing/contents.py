"""How a `Content` is kept in the outbox: as JSON without the picture's bytes, and read back."""

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from bridges.messages import Button, Content, Markup, Tone

NOTHING = Content(text="")  #: shown by showing nothing: the message is deleted


def encode(content: Content, activity: str = "") -> dict[str, Any]:
    """The content as JSON; `activity` is the quiet line of a preview."""
    return {
        "text": content.text,
        "markup": content.markup.value,
        "headline": content.headline,
        "buttons": [[_button(button) for button in row] for row in content.buttons],
        "silent": content.silent,
        "reply_to": content.reply_to,
        "activity": activity,
    }


def decode(stored: Mapping[str, Any], picture: bytes | None = None) -> Content:
    return Content(
        text=stored["text"],
        markup=Markup(stored["markup"]),
        headline=stored["headline"],
        buttons=tuple(
            tuple(Button(label=each["label"], data=each["data"], tone=Tone(each["tone"])) for each in row)
            for row in stored["buttons"]
        ),
        picture=picture,
        silent=stored["silent"],
        reply_to=stored["reply_to"],
    )


def shows_nothing(content: Content) -> bool:
    return not content.text.strip() and content.picture is None and not content.buttons


def picture_id(png: bytes) -> UUID:
    """The same picture has the same id, so it is kept once."""
    return UUID(bytes=hashlib.sha256(png).digest()[:16])


def _button(button: Button) -> dict[str, str]:
    return {"label": button.label, "data": button.data, "tone": button.tone.value}
