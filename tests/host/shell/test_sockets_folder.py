"""Where the sockets of the containers are put."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import gettempdir
from uuid import uuid4

import pytest

from container.sockets import fits
from host.starting import StartRefused
from host.wiring.agents import sockets_folder


@pytest.fixture
def install() -> Iterator[str]:
    name = uuid4().hex
    yield name
    shutil.rmtree(Path(gettempdir()) / f"intercom-{name}", ignore_errors=True)


def test_they_lie_beside_the_data(install: str) -> None:
    assert sockets_folder(Path("/var/lib/intercom"), install) == Path("/var/lib/intercom/sockets")


def test_a_home_too_deep_for_a_socket_gets_a_closed_folder_of_its_own_elsewhere(install: str) -> None:
    folder = sockets_folder(Path("/home") / ("x" * 90), install)
    assert fits(folder)
    assert folder.stat().st_mode & 0o077 == 0
    assert sockets_folder(Path("/home") / ("x" * 90), install) == folder


def test_a_link_somebody_laid_there_is_not_followed(install: str, tmp_path: Path) -> None:
    (Path(gettempdir()) / f"intercom-{install}").symlink_to(tmp_path)
    try:
        with pytest.raises(StartRefused, match="somebody else"):
            sockets_folder(Path("/home") / ("x" * 90), install)
    finally:
        (Path(gettempdir()) / f"intercom-{install}").unlink()
