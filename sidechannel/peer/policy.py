"""What the settings say about one channel: pure questions."""

from sidechannel.peer.settings import PeerSettings


def work_bits(settings: PeerSettings, channel: str) -> int:
    """How many zero bits a message needs on the channel; 0: none."""
    if settings.pow_bits <= 0:
        return 0
    if settings.pow_channels:
        return settings.pow_bits if channel in settings.pow_channels else 0
    if settings.pow_entry_only:
        return settings.pow_bits if channel == settings.entry_channel else 0
    return settings.pow_bits


def invite_required(settings: PeerSettings, channel: str) -> bool:
    """Whether the settings make the channel invite-only."""
    if not settings.invite_required or channel == settings.entry_channel:
        return False
    if not settings.invite_channels and not settings.invite_prefixes:
        return True
    return channel in settings.invite_channels or channel.startswith(settings.invite_prefixes)


def owner_writes_only(settings: PeerSettings, channel: str) -> bool:
    """Whether only the channel's owner may write on it."""
    if channel == settings.entry_channel:
        return False
    if settings.owner_write_channels:
        return channel in settings.owner_write_channels
    return settings.owner_write_only


def welcome_required(settings: PeerSettings, channel: str) -> bool:
    """Whether messages on the channel wait for its owner's welcome."""
    return settings.welcome_required and channel != settings.entry_channel


def owner_of(settings: PeerSettings, channel: str) -> str | None:
    """The configured owner: the channel's own, else the default one; the entry channel has none."""
    if channel == settings.entry_channel:
        return None
    return settings.owners.get(channel, settings.default_owner)
