"""A group's memory: one file, AGENTS.md; the names other programs look for lead to it.

Claude Code and Gemini CLI read only files of their own name but take in what a line `@AGENTS.md` in them
names; Codex reads AGENTS.md itself. So whoever answers reads the same words, also while several programs work
in one folder, and no link is needed. What an agent writes into its own file all the same is moved to the one
memory before the next agent starts.
"""

from pathlib import Path

from container.folder import GroupFolder, NotPlain, NotThere
from host.conversation.prompting import escaped

MEMORY = "AGENTS.md"
LARGEST = 256 * 1024  #: bytes; more is no memory and left alone
LONGEST_GLOBAL = 16_000  #: characters of it that others are told
OWN_POINTERS = ("CLAUDE.md", "GEMINI.md")

_INCLUDE = f"@{MEMORY}"
_HINT = f"The memory of this group is {MEMORY} beside this file: write there what is to be remembered."
POINTER = f"{_HINT}\n\n{_INCLUDE}\n"
NEW = (
    "# Memory of this group\n\n"
    "Every agent that answers in this group reads this file first. Keep here, short, what should still be\n"
    "known in later conversations: who people are, what they want, decisions, names, places of files.\n"
    "Transcripts of earlier conversations are in /workspace/conversations, files for everybody in\n"
    "/workspace/global; both may be read. A file put into /workspace/group/outbox is sent to the chat with\n"
    "the answer; what people sent is in /workspace/group/attachments.\n"
)
NEW_GLOBAL = "<!-- What all groups' agents should know. The main group writes here; the others read it. -->\n"


class Memory:
    """The memory in one folder, which agents write to. Methods block, and raise FolderError."""

    def __init__(self, folder: Path) -> None:
        self._folder = GroupFolder(folder)

    def prepare(self, name: str) -> None:
        """Let there be a memory that a program reads under `name`."""
        if self._read(MEMORY) is None:
            self._folder.write(MEMORY, NEW.encode())
        for pointer in dict.fromkeys([*OWN_POINTERS, name]):
            if pointer != MEMORY:
                self._lead_from(pointer, needed=pointer == name)

    def prepare_global(self) -> None:
        """Let there be a file for what all groups should know."""
        if self._read(MEMORY) is None:
            self._folder.write(MEMORY, NEW_GLOBAL.encode())

    def for_others(self) -> str:
        """The global memory as one element for a prompt; "" when nothing is in it."""
        text = (self._read(MEMORY) or "").removeprefix(NEW_GLOBAL).strip()
        if not text:
            return ""
        if len(text) > LONGEST_GLOBAL:
            text = f"{text[:LONGEST_GLOBAL]} …"
        return f"<global_memory>{escaped(text)}</global_memory>"

    def _lead_from(self, pointer: str, *, needed: bool) -> None:
        try:
            text = self._read(pointer)
        except NotPlain:  # a link or a pipe: replaced, not followed
            text, needed = None, True
        if text == POINTER or (text is None and not needed):
            return
        own = "\n".join(line for line in (text or "").splitlines() if line.strip() not in {_INCLUDE, _HINT})
        if own.strip():
            memory = self._read(MEMORY) or ""
            self._folder.write(MEMORY, f"{memory.rstrip()}\n\n{own.strip()}\n".lstrip().encode())
        self._folder.write(pointer, POINTER.encode())

    def _read(self, name: str) -> str | None:
        try:
            return self._folder.read(name, LARGEST).decode("utf-8", "replace")
        except NotThere:
            return None
