"""Projects: whose kernel is asked, and what is said where there is none."""

import pytest

from demarch.embedded import EmbeddedKernel
from demarch.errors import NotPossible
from demarch.operations import OPERATIONS
from demarch.projects import Projects
from storage.database import Database
from tests.clock import HandClock

API, WEB = "/srv/api", "/srv/web"


@pytest.fixture
def kernels(database: Database, clock: HandClock) -> dict[str, EmbeddedKernel]:
    return {API: EmbeddedKernel(database, clock), WEB: EmbeddedKernel(database, clock)}


async def test_a_group_that_names_none_works_on_the_default_project(
    kernels: dict[str, EmbeddedKernel],
) -> None:
    projects = Projects(kernels, API)
    assert projects.key("") == API
    assert projects.kernel("") is kernels[API]
    assert projects.kernel(WEB) is kernels[WEB]


async def test_what_was_kept_under_another_key_never_becomes_the_default_project_s(
    kernels: dict[str, EmbeddedKernel],
) -> None:
    projects = Projects(kernels, API)
    with pytest.raises(NotPossible, match="embedded kernel"):
        projects.of("")
    with pytest.raises(NotPossible, match="/srv/gone is not one of those allowed here"):
        projects.of("/srv/gone")


async def test_where_a_project_is_not_allowed_nothing_can_be_done(kernels: dict[str, EmbeddedKernel]) -> None:
    projects = Projects(kernels, API)
    absent = projects.capabilities("/srv/gone").absent
    assert set(absent) == set(OPERATIONS)
    assert not projects.capabilities("").absent


async def test_the_projects_of_groups_are_counted_once_and_only_those_allowed(
    kernels: dict[str, EmbeddedKernel],
) -> None:
    projects = Projects(kernels, API)
    assert projects.among(["", API, "/srv/gone", ""]) == (API,)
    assert projects.among([WEB, ""]) == (WEB, API)


async def test_a_title_is_the_folder_s_name_unless_two_are_called_alike(
    kernels: dict[str, EmbeddedKernel],
) -> None:
    projects = Projects({**kernels, "/home/ana/web": kernels[WEB]}, API)
    assert projects.title(API) == "api"
    assert projects.title(WEB) == WEB
    assert projects.title("/home/ana/web") == "/home/ana/web"
