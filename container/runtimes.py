"""The runtimes table: which agent programs there are."""

from collections.abc import Mapping
from types import MappingProxyType

from container.agent import Runtime
from container.planning import PROGRAMS, PYTHON

LOCAL = "local"
LOCAL_COMMAND = (*PYTHON, f"{PROGRAMS}/local_agent.py")


def runtimes(image: str) -> Mapping[str, Runtime]:
    """All runtimes by name; `image` is the tag of the image the builder made (or "" without Docker)."""
    return MappingProxyType({LOCAL: Runtime(name=LOCAL, image=image, command=LOCAL_COMMAND)})
