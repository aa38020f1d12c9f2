"""How long, how often and whether at all the database is asked: deadlines, retries, a breaker for writes."""

from typing import Any

import asyncpg

from intermute.errors import StorageDown
from intermute.http.endpoint import AnyEndpoint, Reply, Request
from storage.errors import DatabaseUnavailable


class Patience:
    async def run(self, endpoint: AnyEndpoint, request: Request[Any, Any]) -> Reply:
        """Raises IntermuteError."""
        try:
            return await endpoint.run(request)
        except (DatabaseUnavailable, asyncpg.InsufficientResourcesError) as error:
            raise StorageDown("The database does not answer just now.") from error
