"""How a `Content` is kept in the outbox: as JSON without the bytes of pictures and files, and read back."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from bridges.messages import Button, Content, Document, Markup, Tone

_MARKS = re.compile(r"[\\`*_\[\]<&~|]")
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
        **({"sender": content.sender} if content.sender else {}),
    }


def decode(
    stored: Mapping[str, Any], picture: bytes | None = None, document: Document | None = None
) -> Content:
    return Content(
        text=stored["text"],
        markup=Markup(stored["markup"]),
        headline=stored["headline"],
        buttons=tuple(
            tuple(Button(label=each["label"], data=each["data"], tone=Tone(each["tone"])) for each in row)
            for row in stored["buttons"]
        ),
        picture=picture,
        document=document,
        sender=stored.get("sender", ""),
        silent=stored["silent"],
        reply_to=stored["reply_to"],
    )


def with_activity(content: Content, activity: str) -> Content:
    """A preview as one text: below it, in plain words, what the agent does meanwhile."""
    if not activity:
        return content
    if content.markup is Markup.MARKDOWN:
        activity = "\n".join(_plain(line) for line in activity.splitlines())
    return replace(content, text=f"{content.text}\n\n{activity}".strip())


def _plain(line: str) -> str:
    """A line that Markdown leaves as it is."""
    line = _MARKS.sub(r"\\\g<0>", line)
    return f"\\{line}" if line.startswith(">") else line


def shows_nothing(content: Content) -> bool:
    carries = content.picture is not None or content.document is not None
    return not content.text.strip() and not carries and not content.buttons


def picture_id(png: bytes) -> UUID:
    """The same picture has the same id, so it is kept once."""
    return UUID(bytes=hashlib.sha256(png).digest()[:16])


def file_id(document: Document) -> UUID:
    """The same file under the same name has the same id, so it is kept once."""
    name = hashlib.sha256(document.name.encode("utf-8", "surrogatepass")).digest()
    return UUID(bytes=hashlib.sha256(name + document.data).digest()[:16])


def _button(button: Button) -> dict[str, str]:
    return {"label": button.label, "data": button.data, "tone": button.tone.value}
