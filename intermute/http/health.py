"""`/health`: whether the database answers, within half a second; `/metrics`: the numbers for Prometheus."""

from collections.abc import Sequence
from typing import Any

from typing_extensions import TypedDict

from intermute.errors import StorageDown
from intermute.http.endpoint import AnyEndpoint, Endpoint, Nothing, Reply, Request
from intermute.http.metrics import MEDIA, Meters
from intermute.patience import Patience
from storage import sql
from storage.database import Database

LONGEST = 0.5  #: seconds

_SQL = sql.load("intermute", "health")


class Health(TypedDict):
    status: str


class Degraded(TypedDict):
    status: str
    error: str


def endpoints(db: Database, patience: Patience, meters: Meters) -> Sequence[AnyEndpoint]:
    async def health(_request: Request[Any, Any]) -> Reply:
        try:
            await patience.read(lambda: db.fetchval(_SQL["health.answer"]), LONGEST)
        except StorageDown as error:
            body = Degraded(status="degraded", error=str(error))
            return Reply(status=503, body=body, headers={"Retry-After": "1"})
        return Reply(body=Health(status="ok"))

    async def metrics(_request: Request[Any, Any]) -> Reply:
        return Reply(body=meters.text(), headers={"Content-Type": MEDIA})

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
        ),
        Endpoint(
            method="GET",
            path="/metrics",
            summary="Numbers about the service for Prometheus",
            tag="service",
            run=metrics,
            query=Nothing,
            body=Nothing,
            replies={200: str},
            media=MEDIA,
        ),
    ]
