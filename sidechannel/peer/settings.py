"""What a peer's operator decided: one frozen value. The defaults are those of the original's command line."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sidechannel.blobs.invite import DEFAULT_TTL
from sidechannel.errors import BadKey, Refused
from sidechannel.keys.identity import public_key
from sidechannel.names import ENTRY_CHANNEL

MAX_BITS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what others may cost us. Bytes, bytes a second and milliseconds."""

    max_bytes: int = 1_000_000
    rate: int = 64_000
    burst: int = 256_000
    strikes: int = 3
    strike_window: int = 5_000
    block: int = 30_000
    seen: int = 5_000
    seen_for: int = 120_000
    channels: int = 1_024
    opened_channels: int = 64
    connections: int = 1_024
    members: int = 1_024
    revocations: int = 1_024
    waiting_for_work: int = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """How fast we send to one peer: below what default limits take. Rate 0: as fast as it goes."""

    rate: int = 60_000
    burst: int = 192_000
    receiver_burst: int = 256_000
    queued_bytes: int = 4_000_000
    queued: int = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerSettings:
    """The policies of a peer. Empty sets mean "no exception from the general rule"."""

    entry_channel: str = ENTRY_CHANNEL

    pow_bits: int = 12
    pow_entry_only: bool = False
    pow_channels: frozenset[str] = frozenset()

    invite_required: bool = False
    invite_channels: frozenset[str] = frozenset()
    invite_prefixes: tuple[str, ...] = ()
    inviter_keys: frozenset[str] = frozenset()
    invite_ttl: int = DEFAULT_TTL

    owners: Mapping[str, str] = field(default_factory=dict)
    default_owner: str | None = None
    owner_write_only: bool = False
    owner_write_channels: frozenset[str] = frozenset()
    welcome_required: bool = True

    relay: bool = True
    relay_ttl: int = 3
    allow_remote_open: bool = True
    auto_join: bool = False

    drop_unverified: bool = False
    sealed_channels: frozenset[str] = frozenset()

    limits: Limits = Limits()
    pacing: Pacing = Pacing()

    def __post_init__(self) -> None:
        """A key with a typing error would silently lock everybody out: refuse it here."""
        owner = [self.default_owner] if self.default_owner is not None else []
        for key in (*self.inviter_keys, *self.owners.values(), *owner):
            if public_key(key) != key:
                raise BadKey("Keys in the settings are 64 lowercase hex digits.")
        if not 0 <= self.pow_bits <= MAX_BITS:
            raise Refused("pow bits", f"Proof of work is from 0 to {MAX_BITS} bits.")
