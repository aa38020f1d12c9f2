"""Names of files from outside made fit for a folder: one step, no surprises, not too long. Pure."""

import re
import unicodedata

LONGEST = 120  #: bytes
_LONGEST_ENDING = 16
_PLAIN = frozenset(" ._-()+,@=#")
_RUNS = re.compile(r"([ _.-])\1+")


def safe_name(name: str) -> str:
    """Letters and digits of any script and a few marks; never empty, hidden, or more than one step."""
    last = unicodedata.normalize("NFC", name[:1000]).replace("\\", "/").rpartition("/")[2]
    kept = "".join(_fit(letter) for letter in last)
    kept = _RUNS.sub(r"\1", kept).lstrip(" ._-#@=+,").rstrip(" .")
    stem, dot, ending = kept.rpartition(".")
    if not dot or not stem or len(ending.encode()) > _LONGEST_ENDING:
        stem, dot, ending = kept, "", ""
    room = LONGEST - len(f"{dot}{ending}".encode())
    stem = stem.encode()[:room].decode("utf-8", "ignore").rstrip(" .") or "file"
    return f"{stem}{dot}{ending}"


def _fit(letter: str) -> str:
    if letter in _PLAIN:
        return letter
    kind = unicodedata.category(letter)
    if kind[0] in "LN" or kind == "Mn":
        return letter
    return " " if letter.isspace() else "" if kind[0] == "C" else "_"
