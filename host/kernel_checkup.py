"""What `intercom doctor` says of the kernel CLI: its binaries in each project, and how to mend them."""

import asyncio
from pathlib import Path

from demarch.cli.commands import BD, IC
from demarch.cli.probe import Found, Probe
from demarch.cli.process import Runner
from demarch.cli.surroundings import surroundings
from host.doctor import Finding
from host.settings import Settings
from host.shortcomings import shortcomings
from storage.clock import Clock

NAME = "Kernel"
INSTALL_IC = (
    "build ic from https://github.com/mistakeknot/intercore (go build -o ~/.local/bin/ic ./cmd/ic), "
    "or put it on the host's PATH"
)
INSTALL_BD = "go install github.com/steveyegge/beads/cmd/bd@latest, or put bd on the host's PATH"


async def kernel_finding(settings: Settings, folder: Path, clock: Clock) -> Finding:
    """One project's line of the checklist; looking changes nothing."""
    if not await asyncio.to_thread(folder.is_dir):
        mend = "make the folder, or name another one in INTERCOM_PROJECT and INTERCOM_PROJECTS"
        return Finding(name=NAME, ok=False, words=f"there is no folder {folder}", mend=mend)
    probe = Probe(Runner(folder, surroundings(settings.surroundings())), clock)
    trouble = await probe.health()
    found = await probe.look(trouble)
    lacks = shortcomings(found.capabilities)
    at_hand = ", ".join(f"{name} {version}" for name, version in found.versions.items() if version)
    said = [f"{at_hand or 'neither ic nor bd'} in {folder}"]
    if trouble and not any(trouble.rstrip(".") in line for line in lacks):
        said.append(trouble)
    said += lacks
    ok = not trouble and not found.capabilities.absent
    return Finding(
        name=NAME, ok=ok, words=". ".join(part.rstrip(".") for part in said), mend=_mend(folder, found)
    )


def _mend(folder: Path, found: Found) -> str:
    steps = []
    if not found.versions.get(IC):
        steps.append(INSTALL_IC)
    elif found.trouble:
        steps.append(f"cd {folder} && ic init && ic health")
    if not found.versions.get(BD):
        steps.append(INSTALL_BD)
    elif any("bd init" in reason for reason in found.capabilities.absent.values()):
        steps.append(f"cd {folder} && bd init")
    return "; ".join(steps) or "bring ic and bd to their newest versions"
