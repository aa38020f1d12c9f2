"""Claiming the bot: a code printed at start makes whoever sends it, in a private chat, an owner. Once."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from host.people.registry import AlreadyRegistered, Registry, RegistryError, Role
from host.people.roles import Roles
from host.record.audit import Audit
from storage import sql
from storage.clock import Clock
from storage.database import Connection, Database

log = structlog.get_logger()

CODE_BYTES = 16
GROUP = 5  #: letters printed together
WRONG_EACH = 5
WRONG_ALL = 50
LOCKED = timedelta(hours=1)
LONGEST = 200  #: characters of a typed code worth reading

_SQL = sql.load("host", "claims")

RandomBytes = Callable[[int], bytes]  #: secrets.token_bytes


class Claims:
    def __init__(
        self,
        *,
        database: Database,
        registry: Registry,
        roles: Roles,
        audit: Audit,
        clock: Clock,
        random: RandomBytes,
    ) -> None:
        self._database = database
        self._registry = registry
        self._roles = roles
        self._audit = audit
        self._clock = clock
        self._random = random

    async def code(self) -> str:
        """A fresh code to print; the ones printed before count no more. Only its hash is kept."""
        letters = base64.b32encode(self._random(CODE_BYTES)).decode("ascii").rstrip("=")
        await self._database.execute(_SQL["claims.new"], _hash(letters), self._clock.now())
        return "-".join(letters[start : start + GROUP] for start in range(0, len(letters), GROUP))

    async def claim(self, person: str, name: str, address: str, private: bool, code: str) -> str:
        """Answer /claim CODE with a sentence."""
        typed = _letters(code)
        if not typed:
            return "Send /claim and the code that was printed when Intercom started."
        if not private:
            return await self._in_public(person, address, typed)
        async with self._database.transaction() as conn:
            locked = await self._locked(conn, person)
            used = None
            if locked is None:
                used = await conn.fetchval(_SQL["claims.use"], _hash(typed), person, self._clock.now())
                await self._count(conn, person, right=used is not None)
            action = "claim.accepted" if used is not None else "claim.refused"
            await self._audit.record(
                conn,
                actor=person,
                action=action,
                detail={"chat": address, "name": name, "locked": bool(locked)},
            )
        if locked is not None:
            return locked
        if used is None:
            return "This is not the code. The valid one was printed when Intercom started last."
        return await self._accept(person, address)

    async def _accept(self, person: str, address: str) -> str:
        main = self._registry.main()
        if main is None:
            return "The code was right, but there is no main group; restart Intercom and claim again."
        await self._roles.set_role(main.folder, person, Role.OWNER, actor=person)
        try:
            if self._registry.group_of(address) is None:
                await self._roles.add_address(address, main.folder, actor=person)
        except AlreadyRegistered:
            log.info("claim.chat_taken", address=address)
        except RegistryError as error:
            return f"You own this bot now, but this chat could not join the main group: {error}"
        return "You own this bot now, and this chat belongs to the main group. /help shows what you can do."

    async def _in_public(self, person: str, address: str, typed: str) -> str:
        """A code others could read is worthless from now on."""
        async with self._database.transaction() as conn:
            burnt = await conn.fetchval(_SQL["claims.burn"], _hash(typed), self._clock.now())
            detail = {"chat": address, "burnt": burnt is not None}
            await self._audit.record(conn, actor=person, action="claim.in_public", detail=detail)
        if burnt is not None:
            return "That code was shown to a group, so it counts no more. Restart Intercom for a new one."
        return "Claim the bot in a private chat with it, where nobody else sees the code."

    async def _locked(self, conn: Connection, person: str) -> str | None:
        wrong = await conn.fetchrow(_SQL["claims.wrong"], person, self._since())
        if wrong is not None and wrong["mine"] >= WRONG_EACH:
            return "Too many wrong codes came from you. Try again in an hour."
        if wrong is not None and wrong["everybody"] >= WRONG_ALL:
            return "Too many wrong codes were tried by several people. Try again in an hour."
        return None

    async def _count(self, conn: Connection, person: str, *, right: bool) -> None:
        if right:
            await conn.execute(_SQL["claims.forget"], person)
        else:
            await conn.execute(_SQL["claims.count"], person, self._clock.now(), self._since())

    def _since(self) -> datetime:
        return self._clock.now() - LOCKED


def _letters(code: str) -> str:
    return "".join(letter for letter in code[:LONGEST].upper() if letter.isascii() and letter.isalnum())


def _hash(letters: str) -> bytes:
    """128 random bits need no slow hash; the purpose keeps it from being used as any other."""
    return hmac.digest(b"intercom claim code", letters.encode("ascii"), hashlib.sha256)
