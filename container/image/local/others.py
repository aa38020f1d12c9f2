"""Words of other agents as people read them: who says what, without the marks that only agents need."""

import re

from .prompts import unescape

Match = re.Match[str]

#: what the tools put around words of others, for agents; people see who says it
_BLOCK = re.compile(
    r"^[^\n]*written by others[^\n]*\n<untrusted>\n(.*?)\n</untrusted>$", re.DOTALL | re.MULTILINE
)
_LETTER = re.compile(r"<message((?:\s[^<>]*)?)>(.*?)</message>", re.DOTALL)
_MEMBER = re.compile(r'(\w+)="([^"]*)"')


def plain(text: str) -> str:
    """What a tool answered, without the marks that only agents need."""
    return _BLOCK.sub(lambda block: unescape(_LETTER.sub(_told, block[1])), text)


def _told(letter: Match) -> str:
    members = dict(_MEMBER.findall(letter[1]))
    subject = f" ({members['subject']})" if members.get("subject") else ""
    return f"From {members.get('from', 'somebody')}{subject}: {letter[2]}"
