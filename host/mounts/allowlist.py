"""The allow-list of extra mounts: a JSON file outside the project that only this machine's people edit.

MountError
├── AllowlistUnreadable   the file is there but cannot be used; the text says why
└── MountRefused          one mount may not be; the text says why and what would help
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

LARGEST = 256 * 1024  #: bytes of the file

#: parts of a name that no mounted path may have, whatever the file allows
BLOCKED = (
    ".ssh",
    ".gnupg",
    ".gpg",
    ".aws",
    ".azure",
    ".gcloud",
    ".kube",
    ".docker",
    "credentials",
    ".env",
    ".netrc",
    ".npmrc",
    ".pypirc",
    "id_rsa",
    "id_ed25519",
    "private_key",
    ".secret",
)


class MountError(Exception):
    """Something about an extra mount is not right; the message is a sentence for whoever runs the host."""


class AllowlistUnreadable(MountError):
    """The allow-list is there but cannot be used."""


class MountRefused(MountError):
    """A folder may not be mounted."""


class _Root(BaseModel):
    model_config = ConfigDict(extra="ignore")

    path: str = Field(min_length=1, max_length=4096)
    allowReadWrite: bool = False  # noqa: N815 - as the file spells it
    description: str = Field(default="", max_length=1000)


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore")

    allowedRoots: list[_Root] = Field(max_length=1000)  # noqa: N815
    blockedPatterns: list[str] = Field(default=[], max_length=1000)  # noqa: N815
    nonMainReadOnly: bool = True  # noqa: N815


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """A folder below which mounts may lie; links are resolved."""

    path: Path
    writable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowlist:
    """What the file says, and what is blocked anyway."""

    roots: tuple[Root, ...]
    blocked: tuple[str, ...]
    others_read_only: bool  #: groups other than main never write

    def root_of(self, source: Path) -> Root | None:
        """The innermost allowed root a resolved path lies in."""
        over = [root for root in self.roots if source == root.path or root.path in source.parents]
        return max(over, key=lambda root: len(root.path.parts), default=None)

    def blocks(self, path: Path) -> str:
        """The first blocked pattern that a part of the path has; "" when none."""
        parts = [part.casefold() for part in path.parts]
        return next((name for name in self.blocked if any(name.casefold() in part for part in parts)), "")


def read(file: Path, *, project: Path | None = None) -> Allowlist | None:
    """The allow-list; None when there is none. Raises AllowlistUnreadable."""
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            data = opened.read(LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AllowlistUnreadable(f"The allow-list {file} cannot be read: {error.strerror}.") from error
    if mode & stat.S_IWOTH:
        raise AllowlistUnreadable(f"Everybody may change the allow-list {file}; chmod o-w it.")
    if project is not None and project.resolve() in file.resolve().parents:
        raise AllowlistUnreadable(f"The allow-list {file} must lie outside the project {project}.")
    if len(data) > LARGEST:
        raise AllowlistUnreadable(f"The allow-list {file} is larger than {LARGEST // 1024} KB.")
    try:
        parsed = _File.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise AllowlistUnreadable(f"The allow-list {file} does not fit: {where}: {first['msg']}.") from None
    return Allowlist(
        roots=tuple(root for each in parsed.allowedRoots if (root := _root(each)) is not None),
        blocked=(*BLOCKED, *(pattern for pattern in parsed.blockedPatterns if pattern.strip())),
        others_read_only=parsed.nonMainReadOnly,
    )


def _root(row: _Root) -> Root | None:
    """None for one that is not there: nothing can lie in it."""
    try:
        path = Path(row.path).expanduser()
        return (
            Root(path=path.resolve(strict=True), writable=row.allowReadWrite) if path.is_absolute() else None
        )
    except (OSError, RuntimeError, ValueError):
        return None
