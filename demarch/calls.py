"""From a name and arguments, as an agent or a person wrote them, to a call that fits the table."""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from demarch.errors import InvalidCall
from demarch.operations import OPERATIONS, Call, Operation
from demarch.parameters import Parameters
from demarch.phrases import listing, one_line

PREFIX = "demarch_"
_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")


def parse(name: str, arguments: Mapping[str, Any]) -> Call:
    """The call, or InvalidCall with a sentence that says what to change. Both runId and run_id are fine."""
    operation = OPERATIONS.get(name.removeprefix(PREFIX))
    if operation is None:
        raise InvalidCall(_unknown(name.removeprefix(PREFIX)))
    try:
        return Call(
            operation=operation, params=operation.params.model_validate(_spelled(operation, arguments))
        )
    except ValidationError as error:
        raise InvalidCall(_sentence(operation, error.errors(include_url=False)[0])) from error


def _unknown(name: str) -> str:
    near = get_close_matches(name.lower(), OPERATIONS, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(OPERATIONS)}."
    return f"There is no operation “{one_line(name, 60)}”. {hint}"


def _spelled(operation: Operation, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments under the names of the table; explicit nulls count as not given."""
    synonyms = operation.params.synonyms if issubclass(operation.params, Parameters) else {}
    spelled: dict[str, Any] = {}
    for written, value in arguments.items():
        name = _HUMP.sub(lambda hump: f"_{hump[1].lower()}", str(written))
        if name not in operation.params.model_fields:
            name = synonyms.get(name, name)
        if value is None:
            continue
        if name in spelled and spelled[name] != value:
            raise InvalidCall(f"{operation.name} was given {name} twice, with different values.")
        spelled[name] = value
    return spelled


_Reason = Callable[[Mapping[str, Any]], str]
_REASONS: Mapping[str, _Reason] = {
    "string_too_long": lambda about: f"is longer than {about['max_length']} characters",
    "string_too_short": lambda about: "must not be empty",
    "string_type": lambda about: "must be text",
    "string_pattern_mismatch": lambda about: "is not a valid name or id",
    "too_long": lambda about: f"has more than {about['max_length']} {_unit(about)}",
    "too_short": lambda about: "must not be empty",
    "tuple_type": lambda about: "must be a list",
    "datetime_from_date_parsing": lambda about: "is neither a time nor a span such as 2h",
    "datetime_parsing": lambda about: "is neither a time nor a span such as 2h",
    "literal_error": lambda about: f"is one of {about['expected']}",
    "greater_than": lambda about: f"must be more than {about['gt']}",
    "greater_than_equal": lambda about: f"must be at least {about['ge']}",
    "less_than_equal": lambda about: f"must be at most {about['le']}",
    "int_parsing": lambda about: "must be a whole number",
    "int_from_float": lambda about: "must be a whole number",
    "int_type": lambda about: "must be a whole number",
    "timezone_aware": lambda about: "needs a time zone",
    "sentence": lambda about: str(about["sentence"]),
}


def _unit(about: Mapping[str, Any]) -> str:
    return "characters" if isinstance(about["input"], str) else "entries"


def _sentence(operation: Operation, error: ErrorDetails) -> str:
    where = str(error["loc"][0]) if error["loc"] else ""
    if error["type"] == "missing":
        article = "an" if where[0] in "aeiou" else "a"
        return f"{operation.name} needs {article} {where}."
    if error["type"] == "extra_forbidden":
        known = list(operation.params.model_fields)
        takes = f"it takes {listing(known)}" if known else "it takes none"
        return f"{operation.name} has no parameter “{one_line(where, 60)}”; {takes}."
    explain = _REASONS.get(error["type"])
    about = {"input": error["input"], **error.get("ctx", {})}
    what = explain(about) if explain else f"does not fit ({error['msg'].lower()})"
    return f"{operation.name}: {where} {what}." if where else f"{operation.name} {what}."
