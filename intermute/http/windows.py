"""`/api/windows`: where agents sit."""

from collections.abc import Sequence
from typing import NotRequired

from typing_extensions import TypedDict

from intermute import times
from intermute.agents import places
from intermute.http.endpoint import AnyEndpoint, Endpoint, Given, Nothing, Reply, Request
from intermute.http.fields import Id, LimitMost, Line, Name
from intermute.live.windows import Opening, Window, Windows


class Open(Given):
    project: Name = ""
    window_uuid: Name = ""
    agent_id: Name = ""
    display_name: Name = ""
    tmux_target: Id = ""
    registration_token: Id = ""


class Listing(Given):
    project: Name = ""
    cursor: Line = ""
    limit: LimitMost = 1000


class Ending(Given):
    project: Name = ""


class WindowShape(TypedDict):
    id: str
    project: str
    window_uuid: str
    agent_id: str
    display_name: str
    tmux_target: NotRequired[str]
    created_at: str
    last_active_at: str
    expires_at: NotRequired[str]


class WindowList(TypedDict):
    """`next_cursor` leads to the next page, where there is one."""

    windows: list[WindowShape]
    next_cursor: NotRequired[str]


class Ended(TypedDict):
    status: str


def endpoints(windows: Windows) -> Sequence[AnyEndpoint]:
    handlers = _Handlers(windows)
    return [
        Endpoint(
            method="POST",
            path="/api/windows",
            summary="Open an agent's window, or use it again",
            tag="windows",
            run=handlers.put,
            query=Nothing,
            body=Open,
            replies={200: WindowShape},
        ),
        Endpoint(
            method="GET",
            path="/api/windows",
            summary="The open windows of a project, used last first",
            tag="windows",
            run=handlers.list,
            query=Listing,
            body=Nothing,
            replies={200: WindowList},
        ),
        Endpoint(
            method="DELETE",
            path="/api/windows/{window_uuid}",
            summary="End a window; one that is not there has ended",
            tag="windows",
            run=handlers.expire,
            query=Ending,
            body=Nothing,
            replies={200: Ended},
        ),
    ]


class _Handlers:
    def __init__(self, windows: Windows) -> None:
        self._windows = windows

    async def put(self, request: Request[Nothing, Open]) -> Reply:
        body = request.body
        opening = Opening(
            project=body.project,
            window_uuid=body.window_uuid,
            agent=body.agent_id,
            display_name=body.display_name,
            tmux_target=body.tmux_target,
            token=body.registration_token,
        )
        return Reply(body=_shape(await self._windows.put(request.caller, opening)))

    async def list(self, request: Request[Listing, Nothing]) -> Reply:
        query = request.query
        page = await self._windows.list(
            request.caller, query.project, after=places.read(query.cursor), limit=query.limit
        )
        body = WindowList(windows=[_shape(window) for window in page.items])
        if page.next:
            body["next_cursor"] = str(page.next)
        return Reply(body=body)

    async def expire(self, request: Request[Ending, Nothing]) -> Reply:
        await self._windows.expire(request.caller, request.query.project, request.path["window_uuid"])
        return Reply(body=Ended(status="expired"))


def _shape(window: Window) -> WindowShape:
    shape = WindowShape(
        id=window.id,
        project=window.project,
        window_uuid=window.window_uuid,
        agent_id=window.agent,
        display_name=window.display_name,
        created_at=times.precise(window.created_at),
        last_active_at=times.precise(window.last_active_at),
    )
    if window.tmux_target:
        shape["tmux_target"] = window.tmux_target
    if window.expires_at:
        shape["expires_at"] = times.precise(window.expires_at)
    return shape
