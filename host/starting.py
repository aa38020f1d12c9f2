"""What is decided before anything runs: which sandbox locks the agents in, or why the host does not start."""

from collections.abc import Sequence
from dataclasses import dataclass

from container.sandbox import Sandbox, SandboxUnavailable
from host.settings import SandboxName

NOT_ISOLATED = (
    "Agents are not isolated: they run as plain processes of this user. Only the main group is served, "
    "by the built-in agent. Install Docker to lock them in."
)


class StartRefused(Exception):
    """The host does not start; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    sandbox: Sandbox
    notes: tuple[str, ...] = ()  #: what people must know while it runs


async def choose_sandbox(
    wanted: SandboxName, *, docker: Sandbox, process: Sandbox, networks: Sequence[str]
) -> Chosen:
    """Docker when it answers. Plain processes only when asked for, or when nobody outside can write to us."""
    if wanted == "process":
        return Chosen(sandbox=process, notes=(NOT_ISOLATED,))
    try:
        await docker.check()
    except SandboxUnavailable as error:
        if wanted == "docker":
            raise StartRefused(f"INTERCOM_SANDBOX is docker. {_sentence(error)}") from error
        if networks:
            raise StartRefused(
                f"{' and '.join(networks)} is configured, so agents must be locked in. {_sentence(error)} "
                "INTERCOM_SANDBOX=process would run them without isolation."
            ) from error
        return Chosen(sandbox=process, notes=(NOT_ISOLATED,))
    return Chosen(sandbox=docker)


def _sentence(error: Exception) -> str:
    text = str(error)
    return text if text.endswith(".") else f"{text}."
