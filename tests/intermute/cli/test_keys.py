"""`intercom intermute init`: a key for a project, in a file that only its owner reads."""

import stat
from pathlib import Path

import pytest
import yaml

from tests.intermute.cli.installed import Install


def keys_in(path: Path) -> dict[str, list[str]]:
    projects = yaml.safe_load(path.read_text())["projects"]
    return {name: entry["keys"] for name, entry in projects.items()}


async def test_a_project_gets_a_key_and_a_second_one(install: Install, folder: Path) -> None:
    printed = [(await install.run("init", "--project", "project-a")).printed for _ in range(2)]
    path = folder / "intermute.keys.yaml"
    keys = keys_in(path)["project-a"]
    assert len(set(keys)) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for key, words in zip(keys, printed, strict=True):
        assert f'Created API key for project "project-a" in {path}\nKey: {key}\n' in words
        assert f"export INTERMUTE_API_KEY={key}" in words
        assert "Authorization: Bearer" in words
        assert f"intercom intermute serve --keys-file {path}" in words


async def test_the_file_is_the_one_that_is_named(install: Install, folder: Path) -> None:
    named, set_ = folder / "deep" / "named.yaml", folder / "set.yaml"
    await install.run("init", "--project", "a", "--keys-file", str(named), INTERMUTE_KEYS_FILE=str(set_))
    await install.run("init", "--project", "b", INTERMUTE_KEYS_FILE=str(set_))
    assert (list(keys_in(named)), list(keys_in(set_))) == (["a"], ["b"])


async def test_what_is_in_the_file_stays(install: Install, folder: Path) -> None:
    path = folder / "intermute.keys.yaml"
    path.write_text(
        "default_policy: {allow_localhost_without_auth: false}\nprojects: {other: {keys: [old]}}\n"
    )
    assert (await install.run("init", "--project", "a")).status == 0
    assert keys_in(path)["other"] == ["old"]
    assert yaml.safe_load(path.read_text())["default_policy"] == {"allow_localhost_without_auth": False}


@pytest.mark.parametrize("wrong", ["projects: [", "projects: {a: {keys: one}}", "[]"])
async def test_a_file_that_is_wrong_is_not_touched(install: Install, folder: Path, wrong: str) -> None:
    path = folder / "intermute.keys.yaml"
    path.write_text(wrong)
    ended = await install.run("init", "--project", "a")
    assert ended.status == 1
    assert str(path) in ended.complained
    assert "Traceback" not in ended.complained
    assert path.read_text() == wrong


@pytest.mark.parametrize("arguments", [[], ["--project", "  "], ["--project", "x" * 201]])
async def test_a_project_must_be_named(install: Install, folder: Path, arguments: list[str]) -> None:
    ended = await install.run("init", *arguments)
    assert ended.status == 2
    assert not (folder / "intermute.keys.yaml").exists()
