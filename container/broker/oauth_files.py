"""The files in which the providers' own programs keep their tokens; we read them and write them back."""

import base64
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LARGEST = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    access: str
    refresh: str = ""
    expires: datetime | None = None  #: None: the file does not say
    account: str = ""

    def __repr__(self) -> str:
        return "Tokens(…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Where in its file a program keeps what."""

    inside: str  #: the key of the object that holds the tokens; "" is the file itself
    access: str
    refresh: str
    expires: str  #: in milliseconds since 1970; "" : the token itself says it
    account: str = ""
    remedy: str = ""  #: a sentence: how to get new tokens


CLAUDE = Shape(
    inside="claudeAiOauth",
    access="accessToken",
    refresh="refreshToken",
    expires="expiresAt",
    remedy="An owner signs in again with `claude` on this machine",
)
CODEX = Shape(
    inside="tokens",
    access="access_token",
    refresh="refresh_token",
    expires="",
    account="account_id",
    remedy="An owner signs in again with `codex login` on this machine",
)
GEMINI = Shape(
    inside="",
    access="access_token",
    refresh="refresh_token",
    expires="expiry_date",
    remedy="An owner signs in again with `gemini` on this machine",
)


def read_tokens(path: Path, shape: Shape) -> Tokens:
    """Raises OSError, or ValueError when it is not such a file."""
    holder = _holder(_content(path), shape)
    access = _text(holder, shape.access)
    if not access:
        raise ValueError("no access token")
    return Tokens(
        access=access,
        refresh=_text(holder, shape.refresh),
        expires=_moment(holder.get(shape.expires)) if shape.expires else expiry_of(access),
        account=_text(holder, shape.account) if shape.account else "",
    )


def write_tokens(path: Path, shape: Shape, tokens: Tokens) -> None:
    """Put new tokens into the file and leave the rest of it: all of it or nothing, for its owner only."""
    path = path.resolve()
    content = _content(path)
    holder = _holder(content, shape)
    holder[shape.access] = tokens.access
    holder[shape.refresh] = tokens.refresh
    if shape.expires and tokens.expires is not None:
        holder[shape.expires] = int(tokens.expires.timestamp() * 1000)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 600
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(content, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        owner = path.stat()
        if os.geteuid() == 0:
            os.chown(name, owner.st_uid, owner.st_gid)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def writable(path: Path) -> bool:
    """Whether the file can be replaced."""
    return os.access(path.resolve().parent, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def expiry_of(token: str) -> datetime | None:
    """When a JSON Web Token ends by its own word; None when it is none."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    return _moment(claims.get("exp"), 1.0) if isinstance(claims, dict) else None


def _content(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        content = json.loads(file.read(LARGEST))
    if not isinstance(content, dict):
        raise ValueError("not an object")
    return content


def _holder(content: dict[str, Any], shape: Shape) -> dict[str, Any]:
    holder = content.get(shape.inside) if shape.inside else content
    if not isinstance(holder, dict):
        raise ValueError("no tokens")
    return holder


def _text(holder: Mapping[str, Any], key: str) -> str:
    value = holder.get(key)
    return value.strip() if isinstance(value, str) and value.isprintable() else ""


def _moment(value: object, unit: float = 0.001) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value * unit, UTC)
    except (ValueError, OverflowError, OSError):
        return None
