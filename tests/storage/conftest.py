"""What the storage tests ask for beside the common fixtures."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import FOLDER, place


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty data folder. Not pytest's own: that one's parents are closed again by every other run."""
    with tempfile.TemporaryDirectory(prefix=FOLDER, dir=place()) as name:
        yield Path(name)
