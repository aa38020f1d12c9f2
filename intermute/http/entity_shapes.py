"""The JSON of work entities, in and out, made from the declarations of their kinds."""

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, cast

import typing_extensions
from pydantic import Field, WithJsonSchema, create_model

from intermute.entities.kind import Choice, Form, Kind, Member
from intermute.http.endpoint import Given
from intermute.http.fields import MOST, Count, Id, LimitMost, Line, Moment, Text

# A TypedDict that is not written out: the checker wants a literal, and there are seven alike.
_typed_dict = cast(Callable[[str, dict[str, Any]], Any], typing_extensions.TypedDict)

DIGITS = 15  #: of an order or a score that every reader of JSON keeps


class StepGiven(Given):
    """One step of a user journey."""

    order: Annotated[int, Field(strict=True, ge=-(10**DIGITS), le=10**DIGITS)] = 0
    action: Text = ""
    expected: Text = ""
    alternatives: tuple[Text, ...] = ()


class EntityGiven(Given):
    """What every entity comes with, beside the members of its kind."""

    id: Id = ""
    project: Id = ""


class Where(Given):
    """The project a request is about."""

    project: Id = ""


class Listed(Where):
    """A page of a list: `cursor` is what the page before gave as X-Next-Cursor."""

    limit: LimitMost = MOST
    cursor: Line = ""


class Assignment(Given):
    """Who gets the task; `version`, where given, must be the task's."""

    agent: Id
    version: Count | None = None


class SpecLink(Given):
    spec_id: Id


class FeatureLink(Given):
    feature_id: Id


class StepShape(typing_extensions.TypedDict):
    order: int
    action: str
    expected: str
    alternatives: typing_extensions.NotRequired[list[str]]


class LinkShape(typing_extensions.TypedDict):
    cuj_id: str
    feature_id: str
    project: str
    linked_at: str


_GIVEN: dict[Form, tuple[Any, Any]] = {
    Form.ID: (Id, ""),
    Form.LINE: (Line, ""),
    Form.TEXT: (Text, ""),
    Form.LINES: (tuple[Text, ...], ()),
    Form.STEPS: (tuple[StepGiven, ...], ()),
    Form.NUMBER: (Annotated[float, Field(strict=True, allow_inf_nan=False)], 0.0),
}
_SHOWN: dict[Form, Any] = {
    Form.ID: str,
    Form.LINE: str,
    Form.TEXT: str,
    Form.LINES: list[str],
    Form.STEPS: list[StepShape],
    Form.NUMBER: float,
}


@cache
def given(kind: Kind) -> type[EntityGiven]:
    """The body that makes an entity of the kind, or replaces one."""
    fields: dict[str, Any] = {member.name: _given(member) for member in kind.members}
    if kind.versioned:
        fields["version"] = (Count, 0)
    for name in filter(None, (kind.born, kind.changed)):
        fields[name] = (Moment, None)
    return create_model(f"{kind.name.capitalize()}Given", __base__=EntityGiven, **fields)


@cache
def listed(kind: Kind) -> type[Listed]:
    """The query of the kind's list, with its filters."""
    filters: dict[str, Any] = dict.fromkeys(kind.filters, (Line, ""))
    return create_model(f"{kind.plural.capitalize()}Listed", __base__=Listed, **filters)


@cache
def shape(kind: Kind) -> Any:
    """How an entity of the kind comes back."""
    members: dict[str, Any] = {"id": str, "project": str}
    members |= {member.name: _shown(member) for member in kind.members}
    if kind.versioned:
        members["version"] = int
    members |= dict.fromkeys(filter(None, (kind.born, kind.changed)), str)
    return _typed_dict(kind.name.capitalize(), members)


def _given(member: Member) -> tuple[Any, Any]:
    if member.choice is None:
        return _GIVEN[member.form]
    words = {"type": "string", "enum": ["", *member.choice.words]}
    return Annotated[Line, WithJsonSchema(words)], ""


def _shown(member: Member) -> Any:
    if member.choice is not None:
        return _word(member.choice)
    type_ = _SHOWN[member.form]
    return type_ if member.always else typing_extensions.NotRequired[type_]


def _word(choice: Choice) -> Any:
    return Annotated[str, WithJsonSchema({"type": "string", "enum": list(choice.words)})]
