"""Which folder may be a group's project."""

from pathlib import Path

import pytest

from host.people.projects import ProjectRefused, project_key
from host.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    for name in ("api", "web", "secret"):
        (tmp_path / name).mkdir()
    (tmp_path / "api" / "inner").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "to-web").symlink_to("web")
    (tmp_path / "web" / "out").symlink_to("../secret")
    (tmp_path / "round").symlink_to("round")
    return Settings(kernel="cli", project=tmp_path / "api", projects=(tmp_path / "web",))


def test_a_folder_of_the_settings_is_known_by_its_whole_path(settings: Settings, tmp_path: Path) -> None:
    assert project_key(settings, str(tmp_path / "web")) == str(tmp_path / "web")
    assert project_key(settings, str(tmp_path / "to-web")) == str(tmp_path / "web")
    assert project_key(settings, f"{tmp_path}/api/../web/") == str(tmp_path / "web")


def test_the_default_project_has_no_key_of_its_own(settings: Settings) -> None:
    assert project_key(settings, "default") == ""


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("secret", "is not one of the projects allowed here"),
        ("web/out", "secret is not one of the projects allowed here"),
        ("api/inner", "is not one of the projects allowed here"),
        ("file", "is not a folder"),
        ("nowhere", "There is no folder"),
        ("round", "leads in a circle"),
        ("a\0b", "There is no folder"),
    ],
)
def test_any_other_folder_is_refused_in_words(
    settings: Settings, tmp_path: Path, folder: str, words: str
) -> None:
    with pytest.raises(ProjectRefused, match=words):
        project_key(settings, f"{tmp_path}/{folder}")


def test_the_embedded_kernel_has_one_project(tmp_path: Path) -> None:
    with pytest.raises(ProjectRefused, match="need INTERCOM_KERNEL=cli"):
        project_key(Settings(), str(tmp_path))
