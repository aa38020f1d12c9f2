"""What of an agent's words people see: everything outside <internal>…</internal>. Pure."""

import re

_TAG = re.compile(r"<(/?)internal\s*>", re.IGNORECASE)
_OPENING = "<internal>"


def visible(text: str) -> str:
    """The text without internal passages; one that is not closed reaches to the end."""
    kept: list[str] = []
    depth, start = 0, 0
    for tag in _TAG.finditer(text):
        if depth == 0:
            kept.append(text[start : tag.start()])
        depth = max(0, depth - 1) if tag[1] else depth + 1
        start = tag.end()
    if depth == 0:
        kept.append(text[start:])
    return "".join(kept).strip()


def visible_so_far(text: str) -> str:
    """The same of a text that still grows: a tag that has only begun does not flash up."""
    cut = text.rfind("<")
    tail = text[cut:].lower() if cut >= 0 else ""
    if tail and (_OPENING.startswith(tail) or "</internal>".startswith(tail)):
        text = text[:cut]
    return visible(text)
