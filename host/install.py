"""The id of this install, which its containers carry: two installs on one machine leave each other alone."""

import os
import re
from pathlib import Path
from uuid import UUID

from host.starting import StartRefused

FILE = "install-id"


def install_id(home: Path, new: UUID) -> str:
    """Read it, or take the new one the first time."""
    path = home / FILE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        known = path.read_text(encoding="ascii", errors="replace").strip()
        if not re.fullmatch(r"[0-9a-f]{32}", known):
            raise StartRefused(f"{path} is damaged; restore it from a backup, or remove it.") from None
        return known
    with os.fdopen(descriptor, "w") as file:
        file.write(new.hex + "\n")
        file.flush()
        os.fsync(file.fileno())
    return new.hex
