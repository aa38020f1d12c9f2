"""What was said: from a prompt as the host renders it to plain sentences.

People's messages arrive as <messages><message sender="Ana" time="...">text, escaped</message>...</messages>,
outcomes of approvals as <outcome code="K7Q2MD">text</outcome>; what was said before this agent came stands in
<conversation_history>...</conversation_history>, and this agent has no use for it, nor for the files that
elements without content tell of. Plain text is taken as it is. Because the text in a message is escaped,
nobody can write a message or an outcome in another's name.
"""

import re

from .grammar import read
from .intents import Intent

_MESSAGE = re.compile(r"<message(?:\s[^<>]*)?>(.*?)</message>", re.DOTALL)
#: what it is told for its knowledge; it asks nothing
_TOLD = re.compile(r"<(conversation_history|global_memory)>.*?</\1>", re.DOTALL)
#: files it is told of; it reads none
_FILE = re.compile(r"<(attachment|outbox)(?:\s[^<>]*)?/>")
_OUTCOME = re.compile(r"<outcome(?:\s[^<>]*)?>.*?</outcome>", re.DOTALL)
_ENTITY = re.compile(r"&(?:(lt|gt|amp|quot|apos)|#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6}));")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_MOST = 20  #: sentences answered in one turn


def messages(prompt: str) -> list[str]:
    """The texts people wrote, in order. An outcome asks nothing: the card told the people already."""
    prompt = _FILE.sub("", _TOLD.sub("", prompt))
    wrapped = _MESSAGE.findall(prompt)
    if wrapped:
        return [unescape(text) for text in wrapped]
    rest = _OUTCOME.sub("", prompt).strip()
    return [rest] if rest else []


def intents(prompt: str) -> list[Intent]:
    """One intent per line; lines that mean nothing by themselves belong to a text begun above them."""
    found: list[Intent] = []
    for text in messages(prompt):
        previous: Intent | None = None
        for line in text.splitlines():
            if not line.strip():
                continue
            intent = read(line)
            if previous is not None and previous.body and intent.kind == "unknown":
                previous.add(line)
                continue
            found.append(intent)
            previous = intent
    return found[:_MOST]


def unescape(text: str) -> str:
    """Undo XML's escapes; what is no character stays as it was written."""

    def character(match: "re.Match[str]") -> str:
        name, decimal, hexadecimal = match.groups()
        if name:
            return _NAMED[name]
        code = int(decimal) if decimal else int(hexadecimal, 16)
        return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else match.group()

    return _ENTITY.sub(character, text)
