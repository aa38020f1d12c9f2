"""Marks on messages over HTTP: read, acknowledged."""

from collections.abc import Sequence

from intermute.agents.guards import Guards
from intermute.http.endpoint import AnyEndpoint, Endpoint, Given, Reply, Request
from intermute.http.fields import Id, Name
from intermute.messages.marks import Mark, Marks


class MarkQuery(Given):
    project: Name = ""
    agent: Id = ""


class MarkBody(Given):
    agent: Id = ""


class MarkRoom:
    """What the paths of marks do."""

    def __init__(self, marks: Marks, guards: Guards) -> None:
        self._marks = marks
        self._guards = guards

    async def ack(self, request: Request[MarkQuery, MarkBody]) -> Reply:
        return await self._mark(request, ack=True)

    async def read(self, request: Request[MarkQuery, MarkBody]) -> Reply:
        return await self._mark(request, ack=False)

    async def _mark(self, request: Request[MarkQuery, MarkBody], *, ack: bool) -> Reply:
        caller = request.caller
        project, message_id = caller.within(request.query.project), request.path["id"]
        agent = request.body.agent or request.query.agent or caller.agent
        # The original's client names nobody: then it is the one recipient, if there is one only.
        agent = agent or await self._marks.sole_recipient(project, message_id)
        mark = Mark(project=project, message_id=message_id, agent=agent, ack=ack)
        if agent:
            await self._guards.check(caller, agent)
            self._guards.touch(agent, caller)
            await self._marks.put(mark)
        else:
            await self._marks.tell(mark)
        return Reply()


def endpoints(room: MarkRoom) -> Sequence[AnyEndpoint]:
    return (
        Endpoint(
            method="POST",
            path="/api/messages/{id}/ack",
            summary="Acknowledge a message",
            tag="messages",
            run=room.ack,
            query=MarkQuery,
            body=MarkBody,
            replies={200: None},
            errors=(404,),
            body_optional=True,
        ),
        Endpoint(
            method="POST",
            path="/api/messages/{id}/read",
            summary="Mark a message as read",
            tag="messages",
            run=room.read,
            query=MarkQuery,
            body=MarkBody,
            replies={200: None},
            errors=(404,),
            body_optional=True,
        ),
    )
