"""The fake tracker beside the real one, command by command: the same exit codes, streams and answers."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.demarch.law import binaries
from tests.demarch.law.binaries import Template
from tests.servers.kernels.project import Project

pytestmark = pytest.mark.full

#: one story; `{0}` is the id of the first issue made in it
STORY = """
version --json
list --json
create First --json --description=words --priority=1 --type=bug --labels=b,a --external-ref=key-1
create --title=-second --json
create Third --json -p P0 -t epic
create --json
create --json --title=
create x --json -p 9
create x --json -p high
create x --json -t nonsense
create -- -dash --json
create x --json --deps=nonsense:{0}
create x --json --parent iv-zzz
create Child --json --parent {2}
create Twin --json --external-ref key-1
show {0} --json
show {0} {1} --json
show {0} iv-zzz --json
show iv-zzz --json
show --json
list --json
list --json --limit 1
list --json --status open,closed
list --json --status nonsense
list --json --sort nonsense
list --json --sort id
list --json --title-contains=irs
list --json --desc-contains=words
list --json --label a
list --json --bogus
bogus --json
search First --json
search key-1 --json --status=all
search nothing-like-it --json
search --json
ready --json
ready --json --limit=2
ready --json --sort nonsense
update {0} --json
update {0} --json --status nonsense
update {0} --json --priority 7
update {0} --json --title=
update iv-zzz --json --status open
update {0} --json --status in_progress --priority=0 --notes=one
update {0} --json --append-notes=two --set-metadata=mark=1 --title=Changed
update {0} --json --set-metadata=mark
update {0} --json --description= --add-label=c --remove-label=a
update {0} {1} --json --priority=3
show {0} --json
ready --json
dep add {1} {0} --json
dep add {0} {1} --json
dep add {0} iv-zzz --json
show {1} --json
list --json --sort id
blocked --json
ready --json
close {1} --json
close {2} --json
close iv-zzz --json
close {0} --json --suggest-next --reason=done
close {1} --json --suggest-next
close {1} --json --reason=again
blocked --json
list --json --status=closed --sort id
reopen {1} --json
update {1} --json --status=deferred
update {1} --json --status=closed
list --json --all --sort id
""".strip().splitlines()
#: told by one only: who somebody is, what the build was, when it happened
_PERSONAL = ("created_by", "owner", "build", "branch", "commit")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
_ID = re.compile(r"\biv-[0-9a-z]{3}\b")


class Story:
    """One telling of the story; ids are known by their number."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._ids: list[str] = []

    async def tell(self, line: str, envelope: bool) -> tuple[int, Any, Any]:
        words = [word.format(*self._ids) if "{" in word else word for word in line.split(" ")]
        answer = await self._project.raw("bd", *words)
        if line.startswith("create") and answer.code == 0:
            made = answer.json["data"] if envelope else answer.json
            self._ids.append(made["id"])
        return answer.code, self._plain(answer.out), self._plain(answer.err)

    def _plain(self, text: str) -> Any:
        """JSON as it is, other text by its first line; without what is never the same twice."""
        text = _TIME.sub("T", _ID.sub(lambda found: self._number(found.group()), text)).strip()
        try:
            return _unsigned(json.loads(text))
        except ValueError:
            return text.split("\n", 1)[0]

    def _number(self, issue_id: str) -> str:
        return f"#{self._ids.index(issue_id)}" if issue_id in self._ids else "#?"


def _unsigned(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _unsigned(inner) for name, inner in value.items() if name not in _PERSONAL}
    if not isinstance(value, list):
        return value
    inner = [_unsigned(inner) for inner in value]
    # Within one second issues stand in the order of their ids, which nobody knows beforehand.
    return sorted(inner, key=lambda issue: str(issue.get("title", ""))) if _are_issues(inner) else inner


def _are_issues(value: list[Any]) -> bool:
    return all(isinstance(inner, dict) and "title" in inner for inner in value)


async def _tellings(project: Project, envelope: bool) -> Sequence[tuple[str, Any]]:
    story = Story(project)
    return [(line, await story.tell(line, envelope)) for line in STORY]


@pytest.mark.parametrize("envelope", [False, True], ids=["plain", "envelope"])
async def test_the_fake_tracker_answers_as_the_real_one(
    tmp_path: Path, template: Template, envelope: bool
) -> None:
    path = binaries.found("bd")
    if path is None:
        pytest.skip(binaries.missing("bd"))
    real = await template.project(tmp_path / "real", {"bd": path})
    fake = Project.create(tmp_path / "fake")
    if envelope:
        real.variables["BD_JSON_ENVELOPE"] = fake.variables["BD_JSON_ENVELOPE"] = "1"
    expected, given = await _tellings(real, envelope), await _tellings(fake, envelope)
    different = [
        (line, wanted, got) for (line, wanted), (_, got) in zip(expected, given, strict=True) if wanted != got
    ]
    assert not different, "\n\n".join(f"{line}\nreal {wanted}\nfake {got}" for line, wanted, got in different)
