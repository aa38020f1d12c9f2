"""The kernel on PostgreSQL, for a machine without `ic` and `bd`."""

from demarch.embedded.kernel import EmbeddedKernel

__all__ = ["EmbeddedKernel"]
