"""Plans a sandbox: pure, so that what locks an agent in can be read and tested without starting anything."""

from hashlib import sha256
from pathlib import Path

from container.agent import Runtime
from container.sandbox import Limits, SandboxSpec

PROGRAMS = "/opt/intercom"  #: where the image has its programs
SOCKETS = "/run/intercom"  #: where a sandbox finds its sockets
BRIDGE = f"{PROGRAMS}/bridge.py"
PYTHON = ("python3", "-I", "-S")
SESSION_SOCKET = "session.sock"
TOOLS_SOCKET = "tools.sock"

#: the MCP server an agent is told to start; its stdio ends at the host
TOOLS_COMMAND = (*PYTHON, BRIDGE, "tools", f"{SOCKETS}/{TOOLS_SOCKET}")
SESSION_COMMAND = (*PYTHON, BRIDGE, "session", f"{SOCKETS}/{SESSION_SOCKET}", "--")


def plan(key: str, runtime: Runtime, sockets: Path, limits: Limits | None = None) -> SandboxSpec:
    """What to start for the conversation `key`."""
    return SandboxSpec(
        key=key,
        image=runtime.image,
        command=(*SESSION_COMMAND, *runtime.command),
        sockets=sockets,
        environment=dict(runtime.environment),
        limits=limits or Limits(),
    )


def folder_name(key: str) -> str:
    """A short name for a conversation's socket folder; the path of a socket has 107 bytes at most."""
    return sha256(key.encode()).hexdigest()[:16]


def sandbox_name(install: str, key: str) -> str:
    """The one name a conversation's container can have: no other key and no other install shares it.

    The whole id of the install goes in: ids made in the same minute begin alike.
    """
    slug = "".join(c if c.isascii() and c.isalnum() else "-" for c in key.lower()).strip("-")[:32]
    own = sha256(f"{install}/{key}".encode()).hexdigest()[:16]
    return f"intercom-{slug or 'x'}-{own}"
