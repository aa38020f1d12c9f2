"""What a kind of work entity declares: its members, the words they may hold, its order and its events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from intermute.errors import InvalidRequest

STATUS = "status"


class Form(Enum):
    """What a member holds, which is also how large it may be."""

    ID = "id"
    LINE = "line"
    TEXT = "text"
    LINES = "lines"  #: a list of texts
    STEPS = "steps"  #: the steps of a journey
    NUMBER = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A member that is one word out of a few. No word means `default`, or what is on record already."""

    words: tuple[str, ...]
    default: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of the entity's JSON; `always` is there also when it is empty."""

    name: str
    form: Form = Form.LINE
    always: bool = False
    choice: Choice | None = None

    @property
    def shown_empty(self) -> bool:
        return self.always or self.choice is not None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kind:
    """One kind. Its list is sorted by the member `ranked` (by its word in `ranks`), then by time."""

    name: str
    plural: str
    members: tuple[Member, ...]
    filters: Mapping[str, str] = field(default_factory=dict)  #: query parameter -> member
    versioned: bool = True
    own_version: bool = False  #: whether a new one may say which version it is
    replaceable: bool = True
    born: str = "created_at"  #: names of its two times on the wire
    changed: str = "updated_at"  #: "" where there is none
    listed_by_birth: bool = False
    ranked: str = ""
    ranks: Mapping[str, float] = field(default_factory=dict)
    created: str  #: types of the events that tell of it
    replaced: str = ""
    removed: str
    reached: Mapping[str, str] = field(default_factory=dict)  #: status -> the event instead of `replaced`

    def fresh(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What is kept of a new one. Raises InvalidRequest."""
        return self._kept(given, {})

    def renewed(self, given: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
        """What is kept of one that takes the place of another. Raises InvalidRequest."""
        return self._kept(given, before)

    def rank(self, data: Mapping[str, Any]) -> float:
        if not self.ranked:
            return 0.0
        value = data[self.ranked]
        return self.ranks[value] if self.ranks else float(value)

    def told(self, data: Mapping[str, Any]) -> str:
        """The type of event that tells of it having been replaced."""
        return self.reached.get(data.get(STATUS, ""), self.replaced)

    def _kept(self, given: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
        values = {member.name: self._value(member, given[member.name], before) for member in self.members}
        return {m.name: values[m.name] for m in self.members if values[m.name] or m.shown_empty}

    def _value(self, member: Member, value: Any, before: Mapping[str, Any]) -> Any:
        choice = member.choice
        if choice is None:
            return value
        if not value:
            return before.get(member.name, choice.default)
        if value not in choice.words:
            raise InvalidRequest(
                f"The {member.name} of {self._article()} {self.name} is one of {', '.join(choice.words)}.",
                code=f"invalid_{member.name}",
                details={"allowed": list(choice.words)},
            )
        return value

    def _article(self) -> str:
        return "an" if self.name[0] in "aeio" else "a"


def statuses(*words: str) -> Member:
    """The member `status`: one of the words, the first unless another is given."""
    return Member(name=STATUS, choice=Choice(words=words, default=words[0]))


def lines(*names: str) -> Sequence[Member]:
    """Members of several texts each."""
    return [Member(name=name, form=Form.LINES) for name in names]
