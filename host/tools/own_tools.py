"""The tools that are the host's own: writing to a chat, registering one."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from container.agent import ToolDeclaration
from container.planning import GROUP_FOLDER
from demarch.errors import InvalidCall
from host.conversation.files_out import FOLDER
from host.phrases import one_line
from host.tools.writes import REGISTER_GROUP, ROUTE_REVIEW, SEND_MESSAGE

OUTBOX = f"{GROUP_FOLDER}/{FOLDER}"

Address = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=200)]


class _Parameters(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SendMessage(_Parameters):
    text: Annotated[str, StringConstraints(min_length=1, max_length=32_000)]
    to: Address | None = None


class RegisterGroup(_Parameters):
    address: Address
    folder: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    title: Annotated[str, StringConstraints(max_length=200)] = ""
    trigger_required: bool = True


class RouteReview(_Parameters):
    to: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    run_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] | None = None


_MODELS: Mapping[str, type[_Parameters]] = {
    SEND_MESSAGE: SendMessage,
    REGISTER_GROUP: RegisterGroup,
    ROUTE_REVIEW: RouteReview,
}


def is_own(name: str) -> bool:
    return name in _MODELS


def parse_own(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as they will be used, or InvalidCall with a sentence."""
    try:
        given = {key: value for key, value in arguments.items() if value is not None}
        return _MODELS[name].model_validate(given).model_dump(exclude_none=True)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = one_line(".".join(str(step) for step in fault["loc"]) or "the call", 60)
        raise InvalidCall(f"{name}: {where}: {one_line(fault['msg'], 200)}.") from error


def declare_own(*, main: bool) -> tuple[ToolDeclaration, ...]:
    """Every agent may write to its chat; the main group's also to others, and register new ones."""
    text = {"type": "string", "description": "what to say; Markdown"}
    to = {"type": "string", "description": "address of a registered chat; without it: this chat"}
    send = ToolDeclaration(
        name=SEND_MESSAGE,
        description=(
            "Send a message now, while you go on working. Your final answer needs no tool, and neither do "
            f"files: what lies in {OUTBOX} when you have answered is sent to the chat."
        ),
        input_schema=schema({"text": text, "to": to} if main else {"text": text}, "text"),
    )
    if not main:
        return (send,)
    register = ToolDeclaration(
        name=REGISTER_GROUP,
        description="Register a chat as a group with an agent of its own.",
        input_schema=schema(
            {
                "address": {"type": "string", "description": "the chat, like tg:-100123"},
                "folder": {"type": "string", "description": "a short name: letters, digits, - and _"},
                "title": {"type": "string"},
                "trigger_required": {
                    "type": "boolean",
                    "description": "answer only when called; default true",
                },
            },
            "address",
            "folder",
        ),
    )
    route = ToolDeclaration(
        name=ROUTE_REVIEW,
        description=(
            "Send what reviewers found about a run to another group: its chat reads it, and its agent gets "
            "it as words of others."
        ),
        input_schema=schema(
            {
                "to": {"type": "string", "description": "the group's folder, or a chat of it"},
                "run_id": {"type": "string", "description": "without it: the current run"},
            },
            "to",
        ),
    )
    return (send, register, route)


def schema(properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    """The parameters of a tool as JSON Schema: these and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }
