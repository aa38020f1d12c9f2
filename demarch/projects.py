"""The projects of this agency: the kernel of each, by the key under which all that is its own is kept."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from demarch.errors import NotPossible
from demarch.kernel import Kernel


class Projects:
    """Run and issue ids are unique within a project only: whoever keeps one keeps the project's key with it.

    The embedded kernel is one project with the key ""; a project of the kernel CLI has its folder as key.
    """

    def __init__(self, kernels: Mapping[str, Kernel], default: str) -> None:
        self._kernels = MappingProxyType(dict(kernels))
        self.default = default

    def __iter__(self) -> Iterator[str]:
        return iter(self._kernels)

    def key(self, project: str) -> str:
        """The key of a group's project; a group that names none works on the default one."""
        return project or self.default

    def kernel(self, project: str) -> Kernel:
        """Raises NotPossible for a project that is not (or no longer) allowed here."""
        kernel = self._kernels.get(self.key(project))
        if kernel is None:
            raise NotPossible(f"The project {self.key(project)} is not one of those allowed here.")
        return kernel
