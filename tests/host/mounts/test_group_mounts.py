"""`intercom group mount` and `unmount`, as an operator uses them."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.program import Program


@dataclass
class Place:
    """An install with a group, a folder to share and an allow-list that allows it."""

    base: Path
    program: Program
    data: Path
    file: Path

    def allow(self, *roots: Path) -> None:
        self.file.write_text(json.dumps({"allowedRoots": [{"path": str(root)} for root in roots]}))

    async def run(self, *words: str, ends_with: int = 0) -> str:
        status, printed = await self.program.command(*words)
        assert status == ends_with, printed
        return printed


@pytest.fixture
async def place(tmp_path: Path) -> Place:
    data = tmp_path / "data" / "docs"
    data.mkdir(parents=True)
    file = tmp_path / "config" / "mount-allowlist.json"
    file.parent.mkdir()
    program = Program(tmp_path / "home", {"INTERCOM_MOUNT_ALLOWLIST": str(file)})
    made = Place(tmp_path, program, data, file)
    await made.run("group", "add", "tg:-1", "--folder", "team")
    return made


async def test_a_folder_is_granted_on_record_and_taken_away_again(place: Place) -> None:
    place.allow(place.base / "data")
    printed = await place.run("group", "mount", "team", str(place.data), "--write")
    assert f"Agents of team may read {place.data} as /workspace/extra/docs." in printed
    assert "nonMainReadOnly" in printed
    groups = json.loads(await place.run("group", "list", "--json"))
    assert groups[-1]["mounts"] == [{"source": str(place.data), "name": "docs", "writable": True}]
    assert "group.profile_set" in await place.run("audit", "tail")
    await place.run("group", "unmount", "team", "docs")
    assert json.loads(await place.run("group", "list", "--json"))[-1]["mounts"] == []


async def test_what_may_not_be_is_refused_in_a_sentence(place: Place) -> None:
    mount = ("group", "mount", "team", str(place.data))
    assert f"There is no allow-list {place.file}" in await place.run(*mount, ends_with=1)
    place.allow(place.base / "data")
    assert "no group" in await place.run("group", "mount", "nobody", str(place.data), ends_with=1)
    await place.run(*mount)
    assert "choose another --name" in await place.run(*mount, ends_with=1)
    assert "it has docs" in await place.run("group", "unmount", "team", "other", ends_with=1)


async def test_the_checklist_names_a_mount_that_is_allowed_no_more(place: Place) -> None:
    place.allow(place.base / "data")
    await place.run("group", "mount", "team", str(place.data))
    place.allow()
    _, printed = await place.program.command("doctor", "--json")
    findings = {row["name"]: row for row in map(json.loads, printed.splitlines())}
    assert not findings["Mounts"]["ok"]
    assert str(place.data) in findings["Mounts"]["words"]
    assert "intercom group unmount" in findings["Mounts"]["mend"]
