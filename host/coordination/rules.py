"""The settings of intermute in its own terms, and where its keys are."""

from datetime import timedelta
from pathlib import Path

from host.coordination.settings import IntermuteSettings
from host.settings import Settings
from intermute.limits import Limits, LiveRules, Retention

KEYS_FILE = "intermute.keys.yaml"


def limits_of(settings: IntermuteSettings) -> Limits:
    return Limits(
        reservations=settings.reservations,
        ttl=timedelta(seconds=min(settings.ttl, settings.longest_ttl)),
        longest_ttl=timedelta(seconds=settings.longest_ttl),
        grace=timedelta(seconds=settings.grace),
        sweep_every=timedelta(seconds=settings.sweep_every),
        waiting=settings.waiting,
        broadcasts=settings.broadcasts,
        live=settings.live.per_minute,
        connections=settings.connections,
        sockets=settings.sockets,
        listed_for=timedelta(seconds=settings.listed_for),
    )


def retention_of(settings: IntermuteSettings) -> Retention:
    kept = settings.retention
    return Retention(messages=kept.messages, events=kept.events, reservations=kept.reservations)


def live_of(settings: IntermuteSettings) -> LiveRules:
    live = settings.live
    return LiveRules(enabled=live.enabled, agents=live.agents, socket=live.socket)


def keys_file(settings: Settings, *, beside: Path | None = None) -> Path:
    """Where the keys are: as set here, else as intermute's own variable says, else in this folder.

    `beside` is where they go when this folder has none: the host keeps its state together.
    """
    given = settings.intermute.keys_file or settings.intermute_keys_file
    if given is not None:
        return given.expanduser()
    here = Path(KEYS_FILE)
    return here if beside is None or here.exists() else beside / KEYS_FILE
