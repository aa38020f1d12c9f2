"""A project folder, scripted binaries, and what runs them."""

from pathlib import Path

import pytest

from demarch.cli.kernel import CliKernel
from demarch.cli.process import Runner
from demarch.cli.surroundings import surroundings
from storage.database import Database
from tests.clock import HandClock
from tests.demarch.cli.binaries import Binaries
from tests.demarch.cli.hands import Hand
from tests.servers.kernels.project import Project


@pytest.fixture
def binaries(tmp_path: Path) -> Binaries:
    return Binaries(tmp_path / "bin")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def runner(binaries: Binaries, project: Path) -> Runner:
    return Runner(project, surroundings(binaries.environment, binaries.folder))


@pytest.fixture
def cli(binaries: Binaries, project: Path, database: Database, clock: HandClock) -> CliKernel:
    return CliKernel(project, database, clock, home=binaries.folder, environment=binaries.environment)


@pytest.fixture
def agency(tmp_path: Path) -> Project:
    """A project with the fake binaries, which behave as the real ones do."""
    return Project.create(tmp_path)


@pytest.fixture
def ana(agency: Project, database: Database) -> Hand:
    """Ana, who decides and files."""
    return Hand(agency, database)
