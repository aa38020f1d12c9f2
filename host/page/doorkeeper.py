"""Who may open the local page: one-time links, the cookies they are traded for, and whose a cookie is.

Implements `bridges.web.port.Doorkeeper`. The database holds hashes only, so a copy of it opens no page.
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import timedelta

from bridges.web.port import Cookie, Visitor
from host.people.registry import LOCAL_NAME, LOCAL_PERSON
from host.record.audit import Audit
from storage import sql
from storage.clock import Clock
from storage.database import Database

OWNER = LOCAL_PERSON  #: whoever holds the page's token

LINK_AGE = timedelta(hours=24)
_SQL = sql.load("host", "doors")


class Doors:
    def __init__(
        self,
        *,
        db: Database,
        audit: Audit,
        clock: Clock,
        session_age: float,
        token: Callable[[], str] = secrets.token_urlsafe,
    ) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._session_age = timedelta(seconds=session_age)
        self._token = token

    async def link_token(self) -> str:
        """A new one-time token; what was too old is forgotten on the way."""
        now = self._clock.now()
        token = self._token()
        async with self._db.transaction() as connection:
            await connection.execute(_SQL["doors.forget_links"], now - LINK_AGE)
            await connection.execute(_SQL["doors.forget_sessions"], now)
            await connection.execute(_SQL["doors.add_link"], _hash(token), now)
        return token

    async def redeem(self, token: str) -> Cookie | None:
        """Trade the token for a cookie, once. None: unknown, used or too old."""
        now = self._clock.now()
        cookie = self._token()
        async with self._db.transaction() as connection:
            used = await connection.fetchrow(_SQL["doors.use_link"], _hash(token), now, now - LINK_AGE)
            if used is None:
                return None
            await connection.execute(
                _SQL["doors.add_session"], _hash(cookie), OWNER, now, now + self._session_age
            )
            await self._audit.record(connection, actor=OWNER, action="page.opened", detail={})
        return Cookie(value=cookie, max_age=int(self._session_age.total_seconds()))

    async def who(self, cookie: str) -> Visitor | None:
        person = await self._db.fetchval(_SQL["doors.who"], _hash(cookie), self._clock.now())
        return None if person is None else Visitor(person=person, name=LOCAL_NAME)


def _hash(secret: str) -> bytes:
    # 256 random bits need no slow hash.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
