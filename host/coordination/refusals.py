"""How intermute refuses, as the agents' tools and the desk know it."""

from collections.abc import Iterator
from contextlib import contextmanager

from demarch.errors import InvalidCall, KernelUnavailable, NotFound, NotPossible
from host.phrases import sentence
from intermute import errors
from storage.errors import StorageError


@contextmanager
def translated(*, apart: type[errors.IntermuteError] | tuple[()] = ()) -> Iterator[None]:
    """Turn refusals of intermute into DemarchErrors; its sentences are ours, not other agents'.

    `apart` is what the caller turns into words itself, because its details are others'.
    """
    try:
        yield
    except apart:
        raise
    except errors.NotFound as error:
        raise NotFound(str(error)) from error
    except errors.InvalidRequest as error:
        raise InvalidCall(str(error)) from error
    except errors.LimitReached as error:
        wait = f" Try again in {error.retry_after} s." if error.retry_after else ""
        raise NotPossible(f"{sentence(error)}{wait}") from error
    except errors.Unavailable as error:
        raise KernelUnavailable(f"intermute: {sentence(error)}") from error
    except errors.IntermuteError as error:
        raise NotPossible(str(error)) from error
    except StorageError as error:
        raise KernelUnavailable("intermute does not reach its database.") from error
