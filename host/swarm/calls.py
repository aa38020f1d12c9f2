"""The two tools of whoever has helpers: what they take, and how they are declared."""

from collections.abc import Collection, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError

from container.agent import ToolDeclaration
from demarch.errors import InvalidCall
from host.phrases import one_line
from host.tools.own_tools import schema
from host.tools.writes import SPAWN_AGENT

AWAIT_AGENT = "await_agent"
NAME = 32


def _below(folder: str) -> str:
    path = PurePosixPath(folder)
    if path.is_absolute() or ".." in path.parts or "\0" in folder:
        raise ValueError("it is a path below the group's folder, such as docs/guide")
    return "" if str(path) == "." else str(path)


def _plain(name: str) -> str:
    plain = one_line(name, NAME)
    if not plain:
        raise ValueError("it has no letter to be seen")
    return plain


Name = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_plain)]


class _Parameters(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SpawnAgent(_Parameters):
    task: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=16_000)]
    name: Name | None = None
    runtime: Annotated[str, StringConstraints(max_length=64)] = ""
    folder: Annotated[str, StringConstraints(max_length=400), AfterValidator(_below)] = ""


class AwaitAgent(_Parameters):
    name: Name | None = None


P = TypeVar("P", bound=_Parameters)


def read(model: type[P], tool: str, arguments: Mapping[str, Any]) -> P:
    """The arguments as they will be used, or InvalidCall with a sentence."""
    try:
        return model.model_validate({key: value for key, value in arguments.items() if value is not None})
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = one_line(".".join(str(step) for step in fault["loc"]) or "the call", 60)
        raise InvalidCall(f"{tool}: {where}: {one_line(fault['msg'], 200)}.") from error


def declare(runtimes: Collection[str], free: int) -> tuple[ToolDeclaration, ...]:
    task = {
        "type": "string",
        "description": "all it must know: it has not read this conversation, and it cannot ask back",
    }
    spawn = ToolDeclaration(
        name=SPAWN_AGENT,
        description=(
            "Start a helper: another agent that works on a task beside you, in a container of its own with"
            f" the same workspace. Answers at once; {AWAIT_AGENT} gives its result. {free} a turn start"
            " without asking a person. Helpers end with your turn."
        ),
        input_schema=schema(
            {
                "task": task,
                "name": {"type": "string", "description": "what it is called; shown to people"},
                "runtime": {"type": "string", "enum": sorted(runtimes), "description": "default: yours"},
                "folder": {
                    "type": "string",
                    "description": "an existing folder of the workspace that it works in; default: all of it",
                },
            },
            "task",
        ),
    )
    wait = ToolDeclaration(
        name=AWAIT_AGENT,
        description=(
            "Wait for a helper's result; without a name for the next that ends. Answers within a minute: if"
            " it still works, call this again."
        ),
        input_schema=schema({"name": {"type": "string", "description": "which helper"}}),
    )
    return (spawn, wait)
