"""Make any text storable: PostgreSQL refuses NUL, and UTF-8 has no lone surrogates."""

import re
from typing import Any

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
#: the characters PostgreSQL cannot keep
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """The same text with U+FFFD for every character that no text or jsonb column can keep."""
    return text if text.isascii() and "\x00" not in text else UNSTORABLE.sub(REPLACEMENT, text)


def storable_json(value: Any) -> Any:
    """The same JSON value with every string in it (keys too) made storable."""
    match value:
        case str():
            return storable(value)
        case dict():
            return {storable(str(key)): storable_json(item) for key, item in value.items()}
        case list() | tuple():
            return [storable_json(item) for item in value]
        case _:
            return value
