"""`/api/agents/{id}/policy` and `/contacts`: whom an agent takes messages from."""

from collections.abc import Sequence
from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from intermute.agents.contacts import MOST, Contacts
from intermute.caller import Caller
from intermute.http.endpoint import AnyEndpoint, Endpoint, Given, Nothing, Reply, Request
from intermute.http.fields import Id, LimitMost, Name


class Deciding(Given):
    policy: Name = ""
    live_contact_policy: Name = ""


class Adding(Given):
    """One contact, or several."""

    contact: Name = ""
    contacts: Annotated[list[Name], Field(max_length=MOST)] = Field(default_factory=list)


class Listing(Given):
    cursor: Id = ""
    limit: LimitMost = MOST


class Policies(TypedDict):
    agent_id: str
    policy: str
    live_contact_policy: str


class ContactList(TypedDict):
    """`next_cursor` leads to the next page, where there is one."""

    agent_id: str
    contacts: list[str]
    next_cursor: NotRequired[str]


def endpoints(contacts: Contacts) -> Sequence[AnyEndpoint]:
    handlers = _Handlers(contacts)
    path = "/api/agents/{id}/policy"
    return [
        Endpoint(
            method="GET",
            path=path,
            summary="Whom the agent takes messages from",
            tag="contacts",
            run=handlers.policies,
            query=Nothing,
            body=Nothing,
            replies={200: Policies},
        ),
        *(
            Endpoint(
                method=method,
                path=path,
                summary="Decide whom the agent takes messages from",
                tag="contacts",
                run=handlers.decide,
                query=Nothing,
                body=Deciding,
                replies={200: Policies},
                errors=(404,),
            )
            for method in ("POST", "PUT")
        ),
        Endpoint(
            method="GET",
            path="/api/agents/{id}/contacts",
            summary="The agent's contacts",
            tag="contacts",
            run=handlers.list,
            query=Listing,
            body=Nothing,
            replies={200: ContactList},
            errors=(404,),
        ),
        Endpoint(
            method="POST",
            path="/api/agents/{id}/contacts",
            summary="Add contacts",
            tag="contacts",
            run=handlers.add,
            query=Nothing,
            body=Adding,
            replies={200: ContactList},
            errors=(404,),
        ),
        Endpoint(
            method="DELETE",
            path="/api/agents/{id}/contacts/{contact}",
            summary="Remove a contact; one that is not there stays away",
            tag="contacts",
            run=handlers.remove,
            query=Nothing,
            body=Nothing,
            replies={204: None},
            errors=(404,),
        ),
    ]


class _Handlers:
    def __init__(self, contacts: Contacts) -> None:
        self._contacts = contacts

    async def policies(self, request: Request[Nothing, Nothing]) -> Reply:
        id_ = request.path["id"]
        policy, live = await self._contacts.policies(request.caller, id_)
        return Reply(body=Policies(agent_id=id_, policy=policy, live_contact_policy=live))

    async def decide(self, request: Request[Nothing, Deciding]) -> Reply:
        body = request.body
        one = await self._contacts.decide(
            request.caller, request.path["id"], body.policy, body.live_contact_policy
        )
        return Reply(body=Policies(agent_id=one.id, policy=one.policy, live_contact_policy=one.live_policy))

    async def list(self, request: Request[Listing, Nothing]) -> Reply:
        query = request.query
        return await self._listed(request.caller, request.path["id"], query.cursor, query.limit)

    async def add(self, request: Request[Nothing, Adding]) -> Reply:
        id_, body = request.path["id"], request.body
        given = [body.contact, *body.contacts] if body.contact else body.contacts
        await self._contacts.add(request.caller, id_, given)
        return await self._listed(request.caller, id_)

    async def remove(self, request: Request[Nothing, Nothing]) -> Reply:
        await self._contacts.remove(request.caller, request.path["id"], request.path["contact"])
        return Reply(status=204)

    async def _listed(self, caller: Caller, id_: str, after: str = "", limit: int = MOST) -> Reply:
        found, following = await self._contacts.list(caller, id_, after=after, limit=limit)
        body = ContactList(agent_id=id_, contacts=found)
        if following:
            body["next_cursor"] = following
        return Reply(body=body)
