"""Our content as Telegram's messages: rendered, split to its limits, with its keyboards."""

from collections.abc import Sequence

from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.constants import KeyboardButtonStyle

from bridges.messages import Button, Content, Markup, Part, Tone
from bridges.port import ContentRefused
from bridges.splitting import reach, split, units
from bridges.telegram.legible import display, legible
from bridges.telegram.markdown import read_markdown
from bridges.telegram.styled import Styled

TEXT_UNITS = 4096
CAPTION_UNITS = 1024
ENTITIES = 100
CALLBACK_BYTES = 64
LABEL_LIMIT = 64

_LOOKS = {Tone.GOOD: KeyboardButtonStyle.SUCCESS, Tone.BAD: KeyboardButtonStyle.DANGER}


def write_parts(content: Content) -> tuple[Part, ...]:
    """One part per message: the buttons on the last; the picture or file, and the reply, on the first."""
    styled = _render(content)
    carries = content.picture is not None or content.document is not None
    if carries and _fits_caption(styled):
        messages = [styled]
    else:
        messages = ([Styled("")] if carries else []) + _pieces(styled)
    last = len(messages) - 1
    return tuple(
        Part(
            body=message.html(),
            fallback=message.text,
            headline=content.headline and number == 0,
            buttons=content.buttons if number == last else (),
            picture=content.picture if number == 0 else None,
            document=content.document if number == 0 else None,
            silent=content.silent,
            reply_to=content.reply_to if number == 0 else None,
        )
        for number, message in enumerate(messages or [Styled("…")])
    )


def keyboard(rows: Sequence[Sequence[Button]]) -> InlineKeyboardMarkup | None:
    """The buttons below a message, checked here because Telegram would only say "invalid"."""
    if not any(rows):
        return None
    return InlineKeyboardMarkup([[_button(button) for button in row] for row in rows if row])


def _button(button: Button) -> InlineKeyboardButton:
    size = len(button.data.encode("utf-8", "replace"))
    if not 1 <= size <= CALLBACK_BYTES:
        raise ContentRefused(f"a button's data is 1 to {CALLBACK_BYTES} bytes, {button.data!r} has {size}")
    label = legible(button.label).strip()[:LABEL_LIMIT]
    if not label:
        raise ContentRefused(f"the button {button.data!r} has no label")
    return InlineKeyboardButton(label, callback_data=button.data, style=_LOOKS.get(button.tone))


def _render(content: Content) -> Styled:
    text = legible(content.text)
    styled = read_markdown(text) if content.markup is Markup.MARKDOWN else Styled(text.strip())
    return (styled.with_headline() if content.headline else styled).said_by(display(content.sender))


def _fits_caption(styled: Styled) -> bool:
    return units(styled.text) <= CAPTION_UNITS and len(styled.spans) <= ENTITIES


def _pieces(styled: Styled) -> list[Styled]:
    def furthest(start: int) -> int:
        end = reach(styled.text, start, TEXT_UNITS)
        counted = [span for span in styled.spans if span.end > start and span.start < end]
        return end if len(counted) <= ENTITIES else counted[ENTITIES].start

    return [styled.slice(start, end) for start, end in split(styled.text, furthest, styled.blocks)]
