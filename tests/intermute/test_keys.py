"""The keys file: what it may say, how it is made, and what a wrong one does."""

import stat
from pathlib import Path

import pytest

from intermute import keys
from intermute.keys import BadKeys, Keyring, parse


def test_a_key_leads_to_its_project() -> None:
    read = parse("projects: {alpha: {keys: [one, two]}, beta: {keys: [three]}}")
    assert [read.project(key) for key in ("one", "two", "three", "four", "")] == [
        "alpha",
        "alpha",
        "beta",
        None,
        None,
    ]


def test_programs_on_this_machine_need_no_key_unless_the_file_says_so() -> None:
    assert parse("").local_without_key
    assert parse("default_policy: {}").local_without_key
    assert not parse("default_policy: {allow_localhost_without_auth: false}").local_without_key


def test_blank_keys_are_no_keys() -> None:
    assert not parse("projects: {alpha: {keys: ['', '  ']}}").projects


def test_a_key_of_two_projects_is_refused_without_being_shown() -> None:
    with pytest.raises(BadKeys, match="key reused across projects") as refused:
        parse("projects: {alpha: {keys: [secret]}, beta: {keys: [secret]}}")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "- alpha",
        "projects: [alpha]",
        "projects: {alpha: {keys: secret}}",
        "projects: {alpha: {keys: [[secret]]}}",
        "default_policy: {allow_localhost_without_auth: perhaps}",
        "projects: {alpha: [secret]}",
    ],
)
def test_what_is_no_keys_file_is_refused_without_a_key_in_the_words(text: str) -> None:
    with pytest.raises(BadKeys) as refused:
        parse(text)
    assert "secret" not in str(refused.value)


def test_a_traceback_of_the_keys_shows_no_key() -> None:
    assert "secret" not in repr(parse("projects: {alpha: {keys: [secret]}}"))


def test_the_first_file_has_one_key_of_the_first_project_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "intermute.keys.yaml"
    assert keys.make(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    read = parse(path.read_text())
    assert list(read.projects.values()) == ["dev"]
    assert read.local_without_key


def test_a_file_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text("projects: {}\n")
    assert not keys.make(path)
    assert path.read_text() == "projects: {}\n"


def test_a_project_gets_further_keys_and_the_others_keep_theirs(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text("projects: {alpha: {keys: [one]}}\n")
    second = keys.add(path, "alpha")
    third = keys.add(path, "beta")
    read = parse(path.read_text())
    assert len(second) == 43
    assert [read.project(key) for key in ("one", second, third)] == ["alpha", "alpha", "beta"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["keys.yaml"]


def test_a_key_can_be_added_where_there_is_no_file_yet(tmp_path: Path) -> None:
    key = keys.add(tmp_path / "keys.yaml", "alpha")
    assert parse((tmp_path / "keys.yaml").read_text()).project(key) == "alpha"


def test_a_wrong_file_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text("projects: [")
    with pytest.raises(BadKeys):
        keys.add(path, "alpha")
    assert path.read_text() == "projects: ["


async def test_a_wrong_file_leaves_the_keys_in_force(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text("projects: {alpha: {keys: [one]}}\n")
    keyring = await Keyring.read(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadKeys):
        await keyring.reload()
    path.unlink()
    with pytest.raises(FileNotFoundError):
        await keyring.reload()
    assert keyring.keys.project("one") == "alpha"
