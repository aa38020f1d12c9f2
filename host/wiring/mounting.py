"""Where the allow-list of extra mounts is, and what it can never allow."""

from pathlib import Path
from tempfile import gettempdir

from platformdirs import user_config_path

from host.mounts.admission import Admission
from host.people.registry import Registry
from host.settings import Settings

ALLOWLIST = "mount-allowlist.json"


def admission(settings: Settings, registry: Registry) -> Admission:
    """Off limits are the host's data and, where their path is too long for it, the sockets in /tmp."""
    return Admission(
        file=allowlist_file(settings),
        off_limits=(settings.home, *Path(gettempdir()).glob("intercom-*")),
        groups=registry.groups,
        project=settings.project,
        run_in=settings.folders() if settings.kernel == "cli" else (),
    )


def allowlist_file(settings: Settings) -> Path:
    given = settings.mount_allowlist
    return (user_config_path("intercom") / ALLOWLIST) if given is None else given.expanduser().absolute()
