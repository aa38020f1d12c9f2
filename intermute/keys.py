"""The keys of projects: a YAML file of secrets, made on first start, read again when told to."""

import asyncio
import hashlib
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
import yaml

log = structlog.get_logger()

FIRST_PROJECT = "dev"


class BadKeys(Exception):
    """The keys file cannot be used; the message says why, never with a key in it."""


def new_key() -> str:
    """256 random bits, 43 characters."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Which project a key belongs to. Holds hashes only, so that no traceback or dump shows a key."""

    projects: Mapping[bytes, str]
    local_without_key: bool = True

    def project(self, key: str) -> str | None:
        return self.projects.get(_hash(key))

    def lost(self, later: "Keys") -> frozenset[str]:
        """The projects that had a key which is not theirs any more."""
        return frozenset(
            project for key, project in self.projects.items() if later.projects.get(key) != project
        )


#: no key at all: programs on this machine only
NO_KEYS = Keys(projects={})


def parse(text: str) -> Keys:
    """Read the file's text. Raises BadKeys."""
    try:
        given = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise BadKeys("It is not YAML" + (f", at line {mark.line + 1}." if mark else ".")) from None
    top = _mapping(given, "The file")
    policy = _mapping(top.get("default_policy"), "default_policy")
    local = policy.get("allow_localhost_without_auth", True)
    if not isinstance(local, bool):
        raise BadKeys("allow_localhost_without_auth must be true or false.")
    projects: dict[bytes, str] = {}
    for name, entry in _mapping(top.get("projects"), "projects").items():
        for key in _keys(str(name), entry):
            if projects.setdefault(_hash(key), str(name)) != str(name):
                raise BadKeys(f"key reused across projects {projects[_hash(key)]!r} and {str(name)!r}")
    return Keys(projects=projects, local_without_key=local)


def _keys(project: str, entry: Any) -> list[str]:
    keys = _mapping(entry, f"The project {project!r}").get("keys") or []
    if not isinstance(keys, list) or not all(isinstance(key, str | int) for key in keys):
        raise BadKeys(f"The keys of project {project!r} must be a list of texts.")
    return [key for each in keys if (key := str(each).strip())]


def _mapping(value: Any, what: str) -> dict[Any, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadKeys(f"{what} must be a mapping of names.")
    return value


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


class Keyring:
    """The keys in force. Reading them again keeps the old ones where the new file is wrong."""

    def __init__(self, keys: Keys = NO_KEYS, *, path: Path | None = None) -> None:
        self.keys = keys
        self._path = path

    @classmethod
    async def read(cls, path: Path) -> "Keyring":
        """Raises BadKeys, OSError."""
        return cls(await asyncio.to_thread(_read, path), path=path)

    async def reload(self) -> None:
        """Read the file again. Raises BadKeys, OSError: then nothing has changed."""
        if self._path is not None:
            self.keys = await asyncio.to_thread(_read, self._path)
            log.info("keys.read", path=str(self._path), keys=len(self.keys.projects))


def _read(path: Path) -> Keys:
    try:
        return parse(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise BadKeys("It is not UTF-8.") from None


def make(path: Path, *, key: Callable[[], str] = new_key) -> bool:
    """Make the file with one key for the first project, readable by its owner only. False: there is one."""
    if path.exists():
        return False
    _write(
        path, {"default_policy": {"allow_localhost_without_auth": True}, **_project(FIRST_PROJECT, [key()])}
    )
    return True


def add(path: Path, project: str, *, key: Callable[[], str] = new_key) -> str:
    """Give the project one more key. Raises BadKeys, OSError."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    parse(text)
    top = yaml.safe_load(text) or {"default_policy": {"allow_localhost_without_auth": True}}
    fresh = key()
    projects = top.setdefault("projects", None) or {}
    entry = projects.get(project) or {}
    projects[project] = {**entry, "keys": [*(entry.get("keys") or []), fresh]}
    _write(path, {**top, "projects": projects})
    return fresh


def _project(name: str, keys: list[str]) -> dict[str, Any]:
    return {"projects": {name: {"keys": keys}}}


def _write(path: Path, value: Mapping[str, Any]) -> None:
    """All or nothing, and never readable by others on the way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(
            os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as file:
            yaml.safe_dump(dict(value), file, sort_keys=False)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
