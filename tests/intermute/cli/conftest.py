"""An install on a database of the test's own."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.intermute.cli.installed import Install


@pytest.fixture
def folder() -> Iterator[Path]:
    # Short, because the path of a socket is.
    with tempfile.TemporaryDirectory(prefix="ic-") as folder:
        yield Path(folder)


@pytest.fixture
def install(folder: Path, database_url: str) -> Install:
    return Install(folder, {"INTERCOM_DATABASE_URL": database_url})
