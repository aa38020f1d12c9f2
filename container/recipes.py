"""What an agent's image is made of, in layers: base, Node.js, the agent's packages, and our own programs.

A layer's tag follows from its content and from what it stands on. So a change of our programs makes only the
thin top layer anew, and asks no registry for anything.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from container import base
from container.context import Entry, content_hash, tree
from container.runtimes import BUILT_IN, LOCAL, PACKAGES

IMAGE = Path(__file__).parent / "image"
NODE = IMAGE / "node"
AGENT_REPOSITORY = "intercom-agent"
PACKAGES_REPOSITORY = "intercom-packages"
NODE_REPOSITORY = "intercom-node"
NAMES = tuple(row.name for row in BUILT_IN)
SETTINGS = "root"  #: a runtime's folder with files that its image has at the same place


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The tags of one runtime's layers; the lower two are "" where it needs none."""

    runtime: str
    agent: str
    packages: str = ""
    node: str = ""


def recipe(runtime: str, base_image: str, user: int) -> Recipe:
    """`base_image` is the base that was asked for; `user` is who the agent will be."""
    ground = (base_image, base.RECIPE, *base.TOOLS)
    if runtime == LOCAL:
        return Recipe(runtime=runtime, agent=_agent_tag(runtime, ground))
    node = f"{NODE_REPOSITORY}:{content_hash(ground, node_entries())}"
    lock = [Entry(name=name, path=IMAGE / runtime / name) for name in ("package-lock.json", "drop")]
    made = content_hash((node, str(user)), [*lock, *warming(runtime)])
    packages = f"{PACKAGES_REPOSITORY}-{runtime}:{made}"
    return Recipe(runtime=runtime, agent=_agent_tag(runtime, (packages,)), packages=packages, node=node)


def is_ours(tag: str) -> bool:
    """Whether a tag is of a layer made here: what somebody else put on top of ours has our labels too."""
    return tag.startswith((f"{AGENT_REPOSITORY}-", f"{PACKAGES_REPOSITORY}-", f"{NODE_REPOSITORY}:"))


def runtime_of(tag: str) -> str:
    """The runtime whose image a tag names; "" when it is none of ours."""
    repository = tag.partition(":")[0]
    name = repository.removeprefix(f"{AGENT_REPOSITORY}-")
    return name if name in NAMES and name != repository else ""


def how_to_get(tag: str) -> str:
    """What to tell people when this image is not here."""
    if runtime := runtime_of(tag):
        return f"The image of the agent {runtime} is not here. Build it: intercom image build {runtime}"
    return f"The image {tag or 'of this agent'} is not here. Pull or build it with docker."


def agent_entries(runtime: str) -> list[Entry]:
    """The context of the top layer."""
    return [Entry(name="Dockerfile", path=IMAGE / "Dockerfile"), *_programs(runtime)]


def node_entries() -> list[Entry]:
    """The context of the Node.js layer, but for the program itself; the lock names that by its hash."""
    return [
        Entry(name="Dockerfile", path=NODE / "Dockerfile"),
        Entry(name="node.lock", path=NODE / "node.lock"),
    ]


def warming(runtime: str) -> list[Entry]:
    """The context of a packages layer, but for the packages."""
    [row] = [row for row in BUILT_IN if row.name == runtime]
    environment = {**row.environment, "HOME": "/tmp"}  # noqa: S108 - a name inside
    plan = {"command": _without_ours(row.command), "environment": environment}
    return [
        Entry(name="Dockerfile", path=NODE / "packages.Dockerfile"),
        Entry(name=f"root{PACKAGES}/warm.py", path=NODE / "warm.py"),
        Entry(name=f"root{PACKAGES}/warm.json", content=json.dumps(plan, sort_keys=True).encode()),
    ]


def _without_ours(command: tuple[str, ...]) -> list[str]:
    """Our own programs come in the layer above."""
    return [word for word in command if not word.startswith("--require=")]


def _agent_tag(runtime: str, ground: tuple[str, ...]) -> str:
    return f"{AGENT_REPOSITORY}-{runtime}:{content_hash(ground, agent_entries(runtime))}"


def _programs(runtime: str) -> Iterator[Entry]:
    for path in sorted(IMAGE.glob("*.py")):
        if path.name != "__init__.py":
            yield Entry(name=f"root/opt/intercom/{path.name}", path=path)
    if runtime == LOCAL:
        yield from tree(IMAGE / LOCAL, f"root/opt/intercom/{LOCAL}/")
    else:
        yield from tree(IMAGE / runtime / SETTINGS, "root/")
