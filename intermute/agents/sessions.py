"""The id of a client's session: a UUID in any of the four spellings of Go programs."""

import json
import re

from intermute.errors import Conflict, InvalidRequest

_HEX = "[0-9a-fA-F]"
_DASHED = f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"
_SESSION = re.compile(rf"{_DASHED}|{_HEX}{{32}}|\{{{_DASHED}\}}|[uU][rR][nN]:[uU][uU][iI][dD]:{_DASHED}")


def check(session_id: str) -> None:
    """Raises InvalidRequest for what is no UUID."""
    if not _SESSION.fullmatch(session_id):
        raise InvalidRequest(
            "The session_id must be a UUID.",
            code=f"invalid session_id: must be a valid UUID: {json.dumps(session_id)}",
            details={"code": "invalid_session_id"},
        )


def taken() -> Conflict:
    return Conflict(
        "Another client registered with this session a short while ago, or still holds files in it. "
        "Send the same name, the agent's id or its token to go on as that agent.",
        code="session_id is in use by an active agent",
        details={"code": "active_session_conflict"},
    )
