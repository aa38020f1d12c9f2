"""The service from a program's point of view: `async with Client.open(url, project=…) as client`."""

from intermute.client.client import Client
from intermute.client.errors import (
    ClientError,
    Conflict,
    Forbidden,
    Invalid,
    Limited,
    Missing,
    PolicyDenied,
    Refused,
    ReservationConflict,
    Strange,
    Unauthenticated,
    Unavailable,
    Unreachable,
)

__all__ = [
    "Client",
    "ClientError",
    "Conflict",
    "Forbidden",
    "Invalid",
    "Limited",
    "Missing",
    "PolicyDenied",
    "Refused",
    "ReservationConflict",
    "Strange",
    "Unauthenticated",
    "Unavailable",
    "Unreachable",
]
