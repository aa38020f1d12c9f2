"""`/health`: whether the database answers, in at most half a second."""

import asyncio
from collections.abc import Sequence
from typing import Any, TypedDict

from intermute.http.endpoint import AnyEndpoint, Endpoint, Nothing, Reply, Request
from storage.database import Database
from storage.errors import DatabaseUnavailable

LONGEST = 0.5


class Health(TypedDict):
    status: str


class Degraded(Health):
    error: str


def endpoints(db: Database) -> Sequence[AnyEndpoint]:
    async def health(_request: Request[Any, Any]) -> Reply:
        try:
            async with asyncio.timeout(LONGEST):
                await db.fetchval("SELECT 1")
        except TimeoutError:
            return Reply(status=503, body=Degraded(status="degraded", error="the database does not answer"))
        except DatabaseUnavailable as error:
            return Reply(status=503, body=Degraded(status="degraded", error=str(error)))
        return Reply(body=Health(status="ok"))

    return [
        Endpoint(
            method="GET",
            path="/health",
            summary="Whether the service and its database answer",
            tag="service",
            run=health,
            query=Nothing,
            body=Nothing,
            replies={200: Health, 503: Degraded},
            open=True,
        )
    ]
