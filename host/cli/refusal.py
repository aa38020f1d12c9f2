"""Turns the errors the parts raise into a sentence and an exit code; anything else is a fault of ours."""

import sys
from dataclasses import dataclass

#: where the roots of the parts' errors are; only modules that are loaded can have raised one
_FAILED = (
    ("storage.errors", "StorageError"),
    ("container.sandbox", "ContainerError"),
    ("demarch.errors", "DemarchError"),
    ("bridges.port", "BridgeError"),
    ("intermute.errors", "IntermuteError"),
    ("intermute.keys", "BadKeys"),
    ("intermute.client.errors", "ClientError"),
    ("host.record.audit_files", "AuditBroken"),
    ("host.people.registry", "RegistryError"),
    ("host.mounts.allowlist", "MountError"),
    ("host.starting", "StartRefused"),
)
_WRONG_USAGE = (("host.settings", "SettingsError"),)


@dataclass(frozen=True, slots=True)
class Refusal:
    text: str
    code: int


def told(error: BaseException) -> Refusal | None:
    """What to print and how to exit, or None when a traceback is the honest answer."""
    error = _single(error)
    if isinstance(error, _loaded(_WRONG_USAGE)):
        return Refusal(str(error), 2)
    if isinstance(error, _loaded(_FAILED)):
        return Refusal(_sentence(str(error)), 1)
    return None


def _single(error: BaseException) -> BaseException:
    """The first error of a task group: the others ended because of it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _loaded(roots: tuple[tuple[str, str], ...]) -> tuple[type[BaseException], ...]:
    modules = ((sys.modules.get(module), name) for module, name in roots)
    return tuple(getattr(module, name) for module, name in modules if module is not None)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", ")")) else ".")
