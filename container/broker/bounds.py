"""How much of anything one container may ask of the broker, and how long anything may take."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """All durations are in seconds."""

    connections: int = 32  #: of one container at the same time; more are closed at once
    body: int = 32 * MIB  #: bytes of one request
    bodies: int = 64 * MIB  #: bytes of all requests of one container that are under way
    requests: float = 50.0  #: a second, after a burst of four seconds' worth; more wait
    megabytes: float = 8.0  #: a second, after a burst of eight seconds' worth; more wait
    openings: int = 400_000  #: objects and lists in a body: each costs memory far beyond its two bytes
    commas: int = 2_000_000
    depth: int = 100  #: of nested values
    head: int = 16 * 1024  #: bytes of one header line
    idle: float = 900.0  #: a connection without a request; a frozen agent's shall be there when it wakes
    upload: float = 60.0  #: until a request has come in wholly
    connect: float = 10.0
    first_byte: float = 300.0  #: until the provider begins to answer
    silence: float = 300.0  #: between two pieces of an answer
    answer: float = 1800.0  #: a whole answer, from the request on
    tries: int = 3
    patience: float = 20.0  #: what waiting between tries may take together
    watched: int = 8 * MIB  #: what is kept of an answer that comes in one piece, to read its usage
