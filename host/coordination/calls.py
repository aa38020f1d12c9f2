"""What the tools of coordination take, and how they are declared."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from demarch.errors import InvalidCall
from host.conversation.project import PROJECT_FOLDER
from host.phrases import one_line
from storage.text import storable

REGISTER = "coordination_register"
SEND = "coordination_send"
INBOX = "coordination_inbox"
RESERVE = "coordination_reserve"
RELEASE = "coordination_release"
CHECK = "coordination_check"

WRITES = frozenset({REGISTER, SEND, RESERVE, RELEASE})
TOOLS = WRITES | {INBOX, CHECK}
LETTERS = 20  #: of one look into the inbox, unless it asks for more
IMPORTANCE = ("low", "normal", "high", "urgent")


def _pattern(path: str) -> str:
    """Relative to the project, as agents elsewhere have it: their folder has another name."""
    path = storable(path).strip()
    if path == PROJECT_FOLDER or path.startswith(f"{PROJECT_FOLDER}/"):
        path = path[len(PROJECT_FOLDER) + 1 :] or "**"
    path = path.removeprefix("./")
    if not path or path.startswith("/"):
        raise ValueError("a path is written from the project's folder, such as src/auth/**")
    return path


_Kept = AfterValidator(storable)

Agent = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), _Kept]
Path = Annotated[str, StringConstraints(min_length=1, max_length=4000), AfterValidator(_pattern)]
Word = Annotated[str, StringConstraints(strip_whitespace=True, max_length=64), _Kept]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300), _Kept]
Id = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), _Kept]


class _Parameters(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Register(_Parameters):
    capabilities: Annotated[tuple[Word, ...], Field(max_length=20)] = ()
    status: Word = ""
    objective: Line = ""


class Send(_Parameters):
    to: Annotated[tuple[Agent, ...], Field(min_length=1, max_length=50)]
    body: Annotated[str, StringConstraints(min_length=1, max_length=32_000), _Kept]
    cc: Annotated[tuple[Agent, ...], Field(max_length=50)] = ()
    subject: Line = ""
    thread_id: Id = ""
    topic: Word = ""
    importance: Literal["low", "normal", "high", "urgent"] = "normal"
    ack_required: bool = False


class Inbox(_Parameters):
    since: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = LETTERS
    acknowledge: Annotated[tuple[Id, ...], Field(max_length=100)] = ()


class Reserve(_Parameters):
    paths: Annotated[tuple[Path, ...], Field(min_length=1, max_length=20)]
    reason: Line = ""
    minutes: Annotated[int, Field(ge=1, le=1440)] = 30
    shared: bool = False
    wait_minutes: Annotated[int, Field(ge=0, le=1440)] = 0


class Release(_Parameters):
    paths: Annotated[tuple[Path, ...], Field(max_length=50)] = ()
    everything: bool = False

    @model_validator(mode="after")
    def _something(self) -> "Release":
        if bool(self.paths) == self.everything:
            raise ValueError("name the paths, or say everything: true")
        return self


class Check(_Parameters):
    paths: Annotated[tuple[Path, ...], Field(max_length=20)] = ()
    shared: bool = False


MODELS: Mapping[str, type[_Parameters]] = {
    REGISTER: Register,
    SEND: Send,
    INBOX: Inbox,
    RESERVE: Reserve,
    RELEASE: Release,
    CHECK: Check,
}

P = TypeVar("P", bound=_Parameters)


def read(model: type[P], tool: str, arguments: Mapping[str, Any]) -> P:
    """The arguments as they will be used, or InvalidCall with a sentence."""
    try:
        return model.model_validate({key: value for key, value in arguments.items() if value is not None})
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = one_line(".".join(str(step) for step in fault["loc"]) or "the call", 60)
        raise InvalidCall(f"{tool}: {where}: {one_line(fault['msg'], 200)}.") from error


def parse(tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The same as JSON, without what is not said: read again it is the same call."""
    return read(MODELS[tool], tool, arguments).model_dump(mode="json", exclude_defaults=True)
