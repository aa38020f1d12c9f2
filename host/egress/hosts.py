"""Which hosts the agents of a lane may reach, as an owner allowed them. Nothing is allowed by default."""

from container.egress.gate import Hosts
from container.egress.names import BadHost, host_name
from host.people.profiles import Profile
from host.people.registry import Registry
from host.swarm.port import lane_of

MOST = 100  #: of one group


def hosts_of(registry: Registry, key: str) -> Hosts:
    """The policy of one container; `key` is its lane, or that of a helper. Read anew for each tunnel."""
    folder = lane_of(key).partition("/")[0]

    def allowed() -> frozenset[str]:
        group = registry.group(folder)
        return frozenset(group.profile.hosts) if group is not None else frozenset()

    return allowed


def changed(profile: Profile, *, allow: tuple[str, ...], deny: tuple[str, ...]) -> Profile:
    """The profile with some hosts more and some less, each in the one form that is compared.

    Raises BadHost, also for a name that was to be denied and is not allowed.
    """
    kept = dict.fromkeys(profile.hosts)
    for written in deny:
        name = host_name(written)
        if name not in kept:
            raise BadHost(f"{name} is not among the hosts that are allowed.")
        del kept[name]
    kept |= dict.fromkeys(host_name(written) for written in allow)
    if len(kept) > MOST:
        raise BadHost(f"A group may have {MOST} hosts at most.")
    return profile.model_copy(update={"hosts": tuple(sorted(kept))})
