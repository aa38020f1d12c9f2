"""The operations as tools an agent can list: name, description, JSON schema of the arguments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from demarch.calls import PREFIX
from demarch.operations import OPERATIONS, Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """One tool, in the fields MCP has."""

    name: str
    description: str
    input_schema: Mapping[str, Any]


@cache
def declarations() -> Sequence[Declaration]:
    """All operations, in the order of the table; computed once."""
    return tuple(_declare(operation) for operation in OPERATIONS.values())


def _declare(operation: Operation) -> Declaration:
    schema = operation.params.model_json_schema()
    properties = {name: _compact(field) for name, field in schema.get("properties", {}).items()}
    shape: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    if schema.get("required"):
        shape["required"] = schema["required"]
    return Declaration(name=PREFIX + operation.name, description=operation.summary, input_schema=shape)


def _compact(field: Mapping[str, Any]) -> dict[str, Any]:
    """One parameter without titles, null branches and defaults that say nothing."""
    slim = {key: value for key, value in field.items() if key not in {"title", "anyOf"}}
    if slim.get("default", "") in (None, "", []):
        slim.pop("default", None)
    branches = [_compact(branch) for branch in field.get("anyOf", ()) if branch.get("type") != "null"]
    if len(branches) == 1:
        slim = branches[0] | slim
    elif branches and all("enum" in branch or "const" in branch for branch in branches):
        slim |= {"type": "string", "enum": [word for branch in branches for word in _words(branch)]}
    if "items" in slim:
        slim["items"] = _compact(slim["items"])
    return slim


def _words(branch: Mapping[str, Any]) -> list[str]:
    return list(branch["enum"]) if "enum" in branch else [branch["const"]]
