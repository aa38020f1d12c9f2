"""Sending over HTTP: to some, or to everybody."""

from collections.abc import Sequence
from typing import Annotated, NotRequired

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from intermute.agents.guards import Guards
from intermute.errors import InvalidRequest
from intermute.http.endpoint import AnyEndpoint, Endpoint, Given, Nothing, Reply, Request
from intermute.http.fields import Id, Line, Name, Text
from intermute.messages.letter import ASYNC, MOST_RECIPIENTS, TRANSPORTS, Letter, Sent
from intermute.messages.mailroom import Mailroom
from storage.ids import NewId

#: what the rooms refuse by a word of its own is said in the description of the interface as well
WORDS = {"pattern": "\\S"}

Recipients = Annotated[tuple[Id, ...], Field(max_length=MOST_RECIPIENTS)]
Sender = Annotated[Id, Field(alias="from", json_schema_extra=WORDS)]


class SendBody(Given):
    model_config = ConfigDict(json_schema_extra={"required": ["from", "to"]})

    id: Id = ""
    thread_id: Id = ""
    project: Name = ""
    sender: Sender = ""
    to: Annotated[Recipients, Field(json_schema_extra={"minItems": 1})] = ()
    cc: Recipients = ()
    bcc: Recipients = ()
    subject: Line = ""
    topic: Name = ""
    body: Text = ""
    importance: Name = ""
    transport: Annotated[Name, Field(json_schema_extra={"enum": ["", *TRANSPORTS]})] = ""
    target_window_uuid: Id = ""
    ack_required: bool = False


class BroadcastBody(Given):
    model_config = ConfigDict(json_schema_extra={"required": ["from", "topic", "body"]})

    id: Id = ""
    project: Name = ""
    sender: Sender = ""
    topic: Annotated[Name, Field(json_schema_extra=WORDS)] = ""
    subject: Line = ""
    body: Annotated[Text, Field(json_schema_extra=WORDS)] = ""


class SentJson(TypedDict):
    """`delivery` is how it went, for one recipient a word, for several one for each."""

    message_id: str
    cursor: int
    denied: NotRequired[list[str]]
    delivery: NotRequired[str | dict[str, str]]


class LiveJson(TypedDict):
    """What was typed into terminals only; nothing was kept."""

    delivery: str | dict[str, str]
    denied: list[str] | None


class BroadcastJson(TypedDict):
    message_id: str
    cursor: int
    delivered: int
    denied: NotRequired[list[str]]


class MessageRoom:
    """What the paths of messages do."""

    def __init__(self, mailroom: Mailroom, guards: Guards, new_id: NewId) -> None:
        self._mailroom = mailroom
        self._guards = guards
        self._new_id = new_id

    async def send(self, request: Request[Nothing, SendBody]) -> Reply:
        body = request.body
        letter = self._letter(body, request.caller.writing(body.project), bound=request.caller.bound)
        await self._guards.check(request.caller, letter.sender)
        self._guards.touch(letter.sender, request.caller)
        sent = await self._mailroom.messages.send(letter, window=body.target_window_uuid)
        if not sent.message_id:
            return Reply(body=LiveJson(delivery=_delivery(sent), denied=list(sent.denied) or None))
        answer: SentJson = {"message_id": sent.message_id, "cursor": sent.cursor}
        if sent.denied:
            answer["denied"] = list(sent.denied)
        if sent.delivery:
            answer["delivery"] = _delivery(sent)
        return Reply(body=answer)

    def _letter(self, body: SendBody, project: str, *, bound: bool) -> Letter:
        if not body.sender.strip():
            raise InvalidRequest("The message must say who it is from.", code="from_required")
        if not body.to:
            raise InvalidRequest("The message must go to somebody.", code="to_required")
        if not all(agent.strip() for agents in (body.to, body.cc, body.bcc) for agent in agents):
            raise InvalidRequest("A recipient has no name.", code="blank_recipient")
        transport = body.transport or ASYNC
        if transport not in TRANSPORTS:
            raise InvalidRequest(
                f"The transport must be {', '.join(TRANSPORTS[:-1])} or {TRANSPORTS[-1]}.",
                code="invalid_transport",
            )
        return Letter(
            project=project,
            id=body.id if body.id.strip() else str(self._new_id()),
            sender=body.sender,
            to=body.to,
            cc=body.cc,
            bcc=body.bcc,
            thread_id=body.thread_id,
            subject=body.subject,
            topic=body.topic.lower(),
            body=body.body,
            importance=body.importance,
            transport=transport,
            ack_required=body.ack_required,
            bound=bound,
        )

    async def broadcast(self, request: Request[Nothing, BroadcastBody]) -> Reply:
        body = request.body
        project = request.caller.writing(body.project)
        for name, value in (("from", body.sender), ("topic", body.topic), ("body", body.body)):
            if not value.strip():
                raise InvalidRequest(f"A broadcast needs the member {name}.", code=f"{name}_required")
        await self._guards.check(request.caller, body.sender)
        self._guards.touch(body.sender, request.caller)
        letter = Letter(
            project=project,
            id=body.id if body.id.strip() else str(self._new_id()),
            sender=body.sender,
            to=(),
            subject=body.subject,
            topic=body.topic.lower(),
            body=body.body,
        )
        sent = await self._mailroom.broadcasts.send(letter)
        answer: BroadcastJson = {
            "message_id": sent.message_id,
            "cursor": sent.cursor,
            "delivered": sent.recipients,
        }
        if sent.denied:
            answer["denied"] = list(sent.denied)
        return Reply(body=answer)


def _delivery(sent: Sent) -> str | dict[str, str]:
    delivery = dict(sent.delivery)
    return next(iter(delivery.values())) if len(delivery) == 1 else delivery


def endpoints(room: MessageRoom) -> Sequence[AnyEndpoint]:
    return (
        Endpoint(
            method="POST",
            path="/api/messages",
            summary="Send a message; the same id again is the same message, with the newest words",
            tag="messages",
            run=room.send,
            query=Nothing,
            body=SendBody,
            replies={200: SentJson | LiveJson},
            errors=(409,),
        ),
        Endpoint(
            method="POST",
            path="/api/broadcast",
            summary="Send a message to everybody who is registered in the project",
            tag="messages",
            run=room.broadcast,
            query=Nothing,
            body=BroadcastBody,
            replies={200: BroadcastJson},
            errors=(409,),
        ),
    )
