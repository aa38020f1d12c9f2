"""Plans a sandbox: pure, so that what locks an agent in can be read and tested without starting anything."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from container.agent import Fittings, Runtime
from container.sandbox import Limits, SandboxSpec

PROGRAMS = "/opt/intercom"  #: where the image has its programs
SOCKETS = "/run/intercom"  #: where a sandbox finds its sockets
BRIDGE = f"{PROGRAMS}/bridge.py"
PYTHON = ("python3", "-I", "-S")
SESSION_SOCKET = "session.sock"
TOOLS_SOCKET = "tools.sock"
MODEL_SOCKET = "model.sock"  #: HTTP to the model broker
EGRESS_SOCKET = "egress.sock"  #: a CONNECT proxy to the hosts the group may reach
GROUP_FOLDER = "/workspace/group"  #: the group's own folder, writable; the agent's working folder
GLOBAL_FOLDER = "/workspace/global"  #: what all groups may read
EXTRA_FOLDER = "/workspace/extra"  #: below it: mounts from the allow-list
ARCHIVE_FOLDER = "/workspace/conversations"  #: transcripts of earlier conversations, read-only
HOME = "/home/agent"  #: in memory, gone with the sandbox; a runtime's state may be mounted below it
USER = 10001  #: who an agent is (and its group) when the host itself is root
EGRESS_PROXY = "http://127.0.0.1:8182"  #: where the bridge passes on what is for egress.sock
LOOPBACK = "127.0.0.1,localhost"

#: the MCP server an agent is told to start; its stdio ends at the host
TOOLS_COMMAND = (*PYTHON, BRIDGE, "tools", f"{SOCKETS}/{TOOLS_SOCKET}")
SESSION_COMMAND = (*PYTHON, BRIDGE, "session", f"{SOCKETS}/{SESSION_SOCKET}", "--")


def plan(
    key: str,
    runtime: Runtime,
    sockets: Path,
    limits: Limits | None = None,
    fittings: Fittings | None = None,
    user: tuple[int, int] = (USER, USER),
) -> SandboxSpec:
    """What to start for the conversation `key`."""
    fittings, limits = fittings or Fittings(), limits or Limits()
    return SandboxSpec(
        key=key,
        image=runtime.image,
        command=(*SESSION_COMMAND, *runtime.command),
        sockets=sockets,
        environment=_environment(runtime, fittings),
        limits=replace(
            limits,
            memory_bytes=max(limits.memory_bytes, runtime.memory_bytes),
            cpus=max(limits.cpus, runtime.cpus),
        ),
        mounts=fittings.mounts,
        home=HOME,
        user=user,
    )


def _environment(runtime: Runtime, fittings: Fittings) -> dict[str, str]:
    """The runtime's own, its model, and the way out if there is one."""
    environment = dict(runtime.environment)
    if runtime.model_variable and (model := model_of(runtime, fittings)):
        environment[runtime.model_variable] = model
    if EGRESS_SOCKET in fittings.services:
        environment |= {"HTTPS_PROXY": EGRESS_PROXY, "https_proxy": EGRESS_PROXY}
        environment |= {"NO_PROXY": LOOPBACK, "no_proxy": LOOPBACK}
    return environment


def model_of(runtime: Runtime, fittings: Fittings) -> str:
    """The model it is started with; "" leaves it to the agent."""
    return fittings.model or next(iter(runtime.models), "")


def user_inside(uid: int, gid: int) -> tuple[int, int]:
    """Who an agent is, when the host is `uid`: never root, and else who may write to the same folders."""
    return (USER, USER) if uid == 0 else (uid, gid)


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
