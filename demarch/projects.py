"""The projects of this agency: the kernel of each, by the key under which all that is its own is kept."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from types import MappingProxyType

from demarch.errors import NotPossible
from demarch.kernel import Capabilities, Kernel
from demarch.operations import OPERATIONS
from demarch.phrases import one_line


class Projects:
    """Run and issue ids are unique within a project only: whoever keeps one keeps the project's key with it.

    The embedded kernel is one project with the key ""; a project of the kernel CLI has its folder as key.
    """

    def __init__(self, kernels: Mapping[str, Kernel], default: str) -> None:
        self._kernels = MappingProxyType(dict(kernels))
        self.default = default

    def __iter__(self) -> Iterator[str]:
        return iter(self._kernels)

    def __contains__(self, key: object) -> bool:
        return key in self._kernels

    def among(self, named: Iterable[str]) -> tuple[str, ...]:
        """The keys of these groups' projects, as far as they are allowed here, each once."""
        keys = dict.fromkeys(self.key(project) for project in named)
        return tuple(key for key in keys if key in self._kernels)

    def told_apart(self, key: str) -> str:
        """The title where there are several projects; with one there is nothing to say."""
        return self.title(key) if len(self._kernels) > 1 and key else ""

    def title(self, key: str) -> str:
        """What people call it: its folder's name, or the whole folder where two are called alike."""
        name = PurePath(key).name
        alike = sum(PurePath(other).name == name for other in self._kernels)
        return one_line(name if alike == 1 else key, 80)

    def key(self, project: str) -> str:
        """The key of a group's project; a group that names none works on the default one."""
        return project or self.default

    def kernel(self, project: str) -> Kernel:
        """The kernel of a group's project.

        Raises NotPossible for a project that is not (or no longer) allowed here.
        """
        return self.of(self.key(project))

    def of(self, key: str) -> Kernel:
        """The kernel of what was kept with this key, which never becomes another one. Raises NotPossible."""
        kernel = self._kernels.get(key)
        if kernel is None:
            raise NotPossible(_unknown(key))
        return kernel

    def capabilities(self, project: str) -> Capabilities:
        """What cannot be done in a group's project; nothing can where it is not allowed here."""
        key = self.key(project)
        if key in self._kernels:
            return self._kernels[key].capabilities()
        return Capabilities(absent=dict.fromkeys(OPERATIONS, _unknown(key)))


def _unknown(key: str) -> str:
    if not key:
        return "It belongs to the embedded kernel, and this host uses another one now."
    return f"The project {one_line(key, 120)} is not one of those allowed here."
