"""What the check of a request's body finds: the body to send and what it may cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from container.broker.port import NotAllowed
from container.broker.values import Json

IMAGE_TOKENS = 5000  #: more than any provider counts for one image
MOST_FILE_TOKENS = 1_000_000  #: no model reads more
BYTES_PER_TOKEN = 3  #: of text; the usual is about four
FILE_BYTES_PER_TOKEN = 8  #: of a document or a recording in Base64
MOST_NAMED = 60


@dataclass(slots=True)
class Tally:
    """What lies in a body beside text; it is counted otherwise."""

    encoded: int = 0  #: bytes of Base64
    tokens: int = 0

    def image(self, data: object) -> None:
        self.encoded += _length(data)
        self.tokens += IMAGE_TOKENS

    def file(self, data: object) -> None:
        size = _length(data)
        self.encoded += size
        self.tokens += min(size // FILE_BYTES_PER_TOKEN, MOST_FILE_TOKENS)

    def media(self, mime: object, data: object) -> None:
        if isinstance(mime, str) and mime.startswith("image/"):
            self.image(data)
        else:
            self.file(data)

    def input_tokens(self, size: int) -> int:
        """A guess on the high side for a body of `size` bytes."""
        return max(0, size - self.encoded) // BYTES_PER_TOKEN + self.tokens + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A request that may be sent."""

    body: Json
    model: str
    tally: Tally
    output_tokens: int
    streamed: bool


def allowed_model(model: object, models: frozenset[str]) -> str:
    if isinstance(model, str) and model in models:
        return model
    known = ", ".join(sorted(models)) or "none"
    raise NotAllowed(
        f"The model {shown(model)} was not asked: this group may use {known[:300]}. "
        "Choose one of those with /model, or let an owner allow it."
    )


def provider_side(what: object) -> NotAllowed:
    return NotAllowed(
        f"The request was not sent: it wants the provider to use {shown(what)}, which reaches beyond this "
        "machine. An owner may allow provider tools for the group."
    )


def check_kind(kind: object, known: frozenset[str], remote: frozenset[str]) -> None:
    """Whether a `type` is one of the known ones; `remote` are those that only a grant makes known."""
    if kind is None or among(kind, known):
        return
    raise provider_side(kind) if among(kind, remote) else not_known(kind)


def among(value: object, words: frozenset[str]) -> bool:
    return isinstance(value, str) and value in words


def not_known(what: object) -> NotAllowed:
    return NotAllowed(f"The request was not sent: the broker does not know {shown(what)}.")


def shown(value: object) -> str:
    """A container's word in a sentence: short, and no more than a word."""
    text = value if isinstance(value, str) else type(value).__name__
    return '"' + "".join(c for c in text[:MOST_NAMED] if c.isprintable() and c != '"') + '"'


def a_list(value: object, what: str) -> Sequence[object]:
    if not isinstance(value, list):
        raise not_known(f"{what} that are no list")
    return value


def most_output(body: Mapping[str, object], key: str, default: int) -> int:
    """The bound the body sets itself, or the default."""
    value = body.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise not_known(f"a {key} that is no positive number")
    return value


def _length(data: object) -> int:
    return len(data) if isinstance(data, str) else 0
