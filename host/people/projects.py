"""Which folder may be a group's project: one of those in the settings, and only under the kernel CLI."""

from pathlib import Path

from host.people.registry import RegistryError
from host.settings import Settings

DEFAULT = "default"


class ProjectRefused(RegistryError):
    """The folder cannot be a group's project; the message says why."""


def project_key(settings: Settings, folder: str) -> str:
    """The key of the project in a folder; "" for the default one. Blocks. Raises ProjectRefused."""
    if folder == DEFAULT:
        return ""
    if settings.kernel != "cli":
        raise ProjectRefused(
            "The embedded kernel is one project for all groups; projects in folders need INTERCOM_KERNEL=cli."
        )
    try:
        place = Path(folder).expanduser().resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise ProjectRefused(f"There is no folder {folder[:200]}, or it leads in a circle.") from error
    if not place.is_dir():
        raise ProjectRefused(f"{place} is not a folder.")
    allowed = settings.folders()
    if place not in allowed:
        named = ", ".join(str(each) for each in allowed)
        raise ProjectRefused(
            f"{place} is not one of the projects allowed here ({named}); add it to INTERCOM_PROJECTS and "
            "start the host anew."
        )
    return str(place)
