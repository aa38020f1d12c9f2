"""The server driven from another process: the same hands and eyes as JSON over HTTP, under /control/."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.servers.telegram.server import TelegramServer

Json = dict[str, Any]


class Control:
    """Every POST body is the keyword arguments of the method of the same name."""

    def __init__(self, server: TelegramServer) -> None:
        self._server = server
        posts: dict[str, Callable[[Json], Awaitable[Any]]] = {
            "say": self._say,
            "tap": self._tap,
            "wait": self._wait,
            "move": self._plain(server.move),
            "flood": self._plain(server.flood),
            "block": self._plain(server.block),
            "unblock": self._plain(server.unblock),
            "add_chat": self._plain(server.add_chat),
            "drop_next": self._plain(server.drop_next),
            "slow_next": self._plain(server.slow_next),
            "fail_next": self._plain(server.fail_next),
            "set_webhook": self._plain(server.set_webhook),
            "expire_taps": self._plain(server.expire_taps),
        }
        for name, act in posts.items():
            server.app.router.add_post(f"/control/{name}", self._post(act))
        server.app.router.add_get("/control/{what:state|sent|edits|answers|calls|messages}", self._look)

    def _post(
        self, act: Callable[[Json], Awaitable[Any]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            try:
                return web.json_response(await act(await request.json()))
            except TimeoutError:
                return web.json_response({"error": "nothing of that kind in time"}, status=408)
            except (TypeError, KeyError, AssertionError) as error:
                return web.json_response({"error": repr(error)}, status=400)

        return handle

    @staticmethod
    def _plain(act: Callable[..., Any]) -> Callable[[Json], Awaitable[Any]]:
        async def run(body: Json) -> Json:
            act(**body)
            return {}

        return run

    async def _say(self, body: Json) -> Any:
        """One message, or `{"all": [...]}` at the same moment."""
        said = body.get("all", [body])
        ids = [self._server.say(**one) for one in said]
        moments = [{"update_id": update_id, "at": self._server.said[update_id]} for update_id in ids]
        return moments if "all" in body else moments[0]

    async def _tap(self, body: Json) -> Json:
        update_id = self._server.tap(**body)
        return {"update_id": update_id, "at": self._server.said[update_id]}

    async def _wait(self, body: Json) -> Any:
        """Until `sent` messages (or `answers`) in all, or `count` that contain `text` in `chat`."""
        server, within = self._server, float(body.get("within", 10.0))
        if "chat" in body:
            shown = await server.wait_for_message(
                int(body["chat"]), body.get("text", ""), count=int(body.get("count", 1)), within=within
            )
            return shown.wire()
        sent, answers = int(body.get("sent", 0)), int(body.get("answers", 0))
        await server.wait_for(lambda: len(server.sent) >= sent and len(server.answers) >= answers, within)
        return {"sent": len(server.sent), "answers": len(server.answers)}

    async def _look(self, request: web.Request) -> web.Response:
        """Lists from index `since` on; messages of one `chat`."""
        server, since = self._server, int(request.query.get("since", 0))
        found: Any
        match request.match_info["what"]:
            case "sent":
                found = [record.wire() for record in server.sent[since:]]
            case "edits":
                found = [record.wire() for record in server.edits[since:]]
            case "answers":
                found = [record.wire() for record in server.answers[since:]]
            case "calls":
                found = [{"method": c.method, "at": c.at, "status": c.status} for c in server.calls[since:]]
            case "messages":
                found = [shown.wire() for shown in server.messages(int(request.query["chat"]))]
            case _:
                found = {"polling": server.polling, "pending": server.pending, "sent": len(server.sent)}
        return web.json_response(found)


async def serve(port: int, token: str, ready: Callable[[str], None]) -> None:
    """Run until cancelled; `ready` is called with the address."""
    server = TelegramServer(token)
    Control(server)
    async with server.serving(port):
        ready(server.url)
        await asyncio.Event().wait()
