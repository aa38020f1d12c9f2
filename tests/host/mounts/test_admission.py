"""Which folders of this machine a group may see: what the allow-list says, whatever links are planted."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.mounts import allowlist
from host.mounts.admission import Admission
from host.mounts.allowlist import BLOCKED, AllowlistUnreadable, MountError, MountRefused
from host.people.profiles import ExtraMount, Profile
from host.people.registry import Group
from tests.host.conversation.stable import group

BELOW = "/workspace/extra"


@dataclass
class Machine:
    """A machine with a few folders, and a home of the host."""

    base: Path
    groups: list[Group] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("allowed/docs/deep", "allowed/write", "other", "home/groups/team", "config"):
            (self.base / name).mkdir(parents=True)
        self.admission = Admission(
            file=self.file, off_limits=(self.base / "home",), groups=lambda: self.groups
        )

    @property
    def file(self) -> Path:
        return self.base / "config" / "mount-allowlist.json"

    def allow(self, *roots: tuple[str, bool], **more: object) -> None:
        rows = [{"path": str(self.base / path), "allowReadWrite": write} for path, write in roots]
        self.file.write_text(json.dumps({"allowedRoots": rows, **more}))

    def admit(self, source: str, *, name: str = "", write: bool = False, main: bool = False) -> Path:
        wanted = ExtraMount(source=source, name=name, writable=write)
        asking = replace(group("team"), main=main)
        mount = self.admission.admit(asking, wanted, BELOW)
        self.target, self.writable = mount.target, mount.writable
        return mount.source


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_without_the_file_nothing_is_mounted(machine: Machine) -> None:
    with pytest.raises(MountRefused, match="no allow-list"):
        machine.admit(str(machine.base / "allowed"))


def test_what_lies_below_an_allowed_root_is_mounted_read_only(machine: Machine) -> None:
    machine.allow(("allowed", True))
    assert machine.admit(str(machine.base / "allowed/docs"), write=True) == machine.base / "allowed/docs"
    assert (machine.target, machine.writable) == (f"{BELOW}/docs", False)  # a group other than main
    machine.admit(str(machine.base / "allowed"), name="all")
    assert machine.target == f"{BELOW}/all"


@pytest.mark.parametrize(
    ("main", "others_read_only", "root_writable", "writable"),
    [
        (True, True, True, True),
        (False, False, True, True),
        (True, False, False, False),
        (False, True, True, False),
    ],
)
def test_who_may_write(
    machine: Machine, main: bool, others_read_only: bool, root_writable: bool, writable: bool
) -> None:
    machine.allow(("allowed", root_writable), nonMainReadOnly=others_read_only)
    machine.admit(str(machine.base / "allowed/write"), write=True, main=main)
    assert machine.writable is writable
    machine.admit(str(machine.base / "allowed/write"), main=main)
    assert not machine.writable  # nobody asked to


def test_of_nested_roots_the_inner_one_counts(machine: Machine) -> None:
    machine.allow(("allowed", True), ("allowed/docs", False))
    machine.admit(str(machine.base / "allowed/docs/deep"), write=True, main=True)
    assert not machine.writable


@pytest.mark.parametrize("source", ["other", "allowed/../other", "allowed/nothing", "allowed-not", "."])
def test_what_lies_elsewhere_is_refused(machine: Machine, source: str) -> None:
    machine.allow(("allowed", True))
    (machine.base / "allowed-not").mkdir()
    with pytest.raises(MountRefused):
        machine.admit(f"{machine.base}/{source}")


def test_links_are_resolved_before_anything_is_decided(machine: Machine) -> None:
    machine.allow(("allowed", True))
    (machine.base / "allowed/out").symlink_to(machine.base / "other")
    (machine.base / "in").symlink_to(machine.base / "allowed/docs")
    (machine.base / "allowed/circle").symlink_to("circle")
    with pytest.raises(MountRefused, match="not below a folder"):
        machine.admit(str(machine.base / "allowed/out"))
    assert machine.admit(str(machine.base / "in")) == machine.base / "allowed/docs"
    with pytest.raises(MountRefused, match="in a circle"):
        machine.admit(str(machine.base / "allowed/circle"))


@pytest.mark.parametrize("name", BLOCKED)
def test_what_holds_keys_is_never_mounted(machine: Machine, name: str) -> None:
    machine.allow(("allowed", True))
    for place in (f"allowed/{name}", f"allowed/My{name.upper()}2/below"):
        (machine.base / place).mkdir(parents=True)
        with pytest.raises(MountRefused, match="never mounted"):
            machine.admit(f"{machine.base}/{place}")
    link = machine.base / "allowed" / "innocent"
    link.symlink_to(machine.base / f"allowed/{name}")
    with pytest.raises(MountRefused, match="never mounted"):
        machine.admit(str(link))


def test_the_file_may_block_more(machine: Machine) -> None:
    machine.allow(("allowed", True), blockedPatterns=["docs", " "])
    with pytest.raises(MountRefused, match="docs"):
        machine.admit(str(machine.base / "allowed/docs"))
    machine.admit(str(machine.base / "allowed/write"))


@pytest.mark.parametrize("source", ["home", "home/groups/team", ".", "config", "/proc", "/dev/shm", "/"])
def test_what_is_the_hosts_own_is_never_mounted(machine: Machine, source: str) -> None:
    machine.file.write_text(json.dumps({"allowedRoots": [{"path": "/"}]}))
    with pytest.raises(MountRefused, match=r"belongs to the host|lies inside"):
        machine.admit(os.path.normpath(machine.base / source))


def test_below_what_another_group_writes_nothing_is_mounted(machine: Machine) -> None:
    """Its agents could put a link in the folder's place between the look and the mount."""
    machine.allow(("allowed", True))
    source = str(machine.base / "allowed")
    machine.groups = [
        replace(group("writers"), profile=Profile(mounts=(ExtraMount(source=source, writable=True),)))
    ]
    with pytest.raises(MountRefused, match="writers may write"):
        machine.admit(f"{source}/docs")
    machine.admit(source)  # the very same folder cannot be replaced from inside


@pytest.mark.parametrize("name", ["..", ".", "a/b", "/etc", "", "-x", "a b", "x" * 65, "a\n", ".hidden", "é"])
def test_a_name_inside_is_one_plain_word(machine: Machine, name: str) -> None:
    machine.allow(("allowed", True))
    source = machine.base / "allowed/docs" if name else machine.base / "allowed/odd name"
    source.mkdir(exist_ok=True)
    with pytest.raises(MountRefused, match="cannot be a name inside"):
        machine.admit(str(source), name=name)


@pytest.mark.parametrize("source", ["allowed/docs", "~/x", "", "a\0b"])
def test_a_source_is_a_whole_path(machine: Machine, source: str) -> None:
    machine.allow(("allowed", True))
    with pytest.raises(MountRefused):
        machine.admit(source, name="x")


def test_a_file_is_no_folder(machine: Machine) -> None:
    machine.allow(("allowed", True))
    (machine.base / "allowed/file").write_text("x")
    with pytest.raises(MountRefused, match="not a folder"):
        machine.admit(str(machine.base / "allowed/file"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "does not fit"),
        ("[]", "does not fit"),
        ('{"allowedRoots": [{}]}', "allowedRoots.0.path"),
        ('{"allowedRoots": [{"path": "/x", "allowReadWrite": "perhaps"}]}', "allowReadWrite"),
        ("{}", "allowedRoots"),
        (" " * (allowlist.LARGEST + 1), "larger than"),
    ],
)
def test_a_file_that_does_not_fit_allows_nothing(machine: Machine, text: str, said: str) -> None:
    machine.file.write_text(text)
    with pytest.raises(AllowlistUnreadable, match=said):
        machine.admit(str(machine.base / "allowed"))


def test_a_file_that_agents_or_strangers_may_change_allows_nothing(machine: Machine, tmp_path: Path) -> None:
    machine.allow(("allowed", True))
    machine.file.chmod(0o666)
    with pytest.raises(AllowlistUnreadable, match="chmod o-w"):
        machine.admit(str(machine.base / "allowed"))
    machine.file.chmod(0o644)
    with pytest.raises(AllowlistUnreadable, match="outside the project"):
        allowlist.read(machine.file, project=tmp_path)


def test_relative_and_missing_roots_allow_nothing(machine: Machine) -> None:
    machine.file.write_text(json.dumps({"allowedRoots": [{"path": "."}, {"path": "/nothing/there"}]}))
    with pytest.raises(MountRefused, match="not below a folder"):
        machine.admit(str(machine.base / "allowed"))


async def test_at_a_start_the_rest_is_mounted_and_the_log_says_what_not(machine: Machine) -> None:
    machine.allow(("allowed", True))
    sources: Sequence[str] = ("allowed/docs", "allowed/gone", "other", "allowed/write")
    wanted = [ExtraMount(source=str(machine.base / source)) for source in sources]
    wanted.append(ExtraMount(source=str(machine.base / "allowed/docs/deep"), name="docs"))
    machine.groups = [replace(group("team"), profile=Profile(mounts=tuple(wanted)))]
    mounts = await machine.admission.mounts(machine.groups[0], BELOW)
    assert [mount.target for mount in mounts] == [f"{BELOW}/docs", f"{BELOW}/write"]
    assert mounts[0].source == machine.base / "allowed/docs"
    assert len(machine.admission.refusals()) == 2
    assert machine.admission.state().startswith("1 folders may be mounted")
    machine.file.unlink()
    assert await machine.admission.mounts(machine.groups[0], BELOW) == ()
    machine.file.write_text("no JSON")
    assert await machine.admission.mounts(machine.groups[0], BELOW) == ()


STEPS = st.sampled_from(["allowed", "other", "docs", "..", ".", "link0", "link1", "link2", ".ssh", "home"])
PATHS = st.lists(STEPS, max_size=5).map("/".join)


@settings(max_examples=400, deadline=None)
@given(links=st.lists(st.tuples(PATHS, PATHS), max_size=3), source=PATHS)
def test_nothing_outside_the_roots_ever_passes(links: list[tuple[str, str]], source: str) -> None:
    with TemporaryDirectory(dir="/var/tmp") as made:
        base = Path(made).resolve()
        machine = Machine(base)
        (base / "allowed/.ssh").mkdir()
        machine.allow(("allowed", True))
        for number, (place, target) in enumerate(links):
            at = base / place / f"link{number}"
            if at.parent.is_dir() and base in (at.parent.resolve(), *at.parent.resolve().parents):
                at.symlink_to(base / target)
        try:
            passed = machine.admit(f"{base}/{source}", name="x")
        except MountError:
            return
        real = Path(os.path.realpath(f"{base}/{source}"))
        assert passed == real
        assert base / "allowed" in (real, *real.parents)
        assert ".ssh" not in real.parts
        assert not passed.is_symlink()


@pytest.mark.parametrize("project", ["allowed/docs", "allowed/docs/deep", "allowed"])
def test_where_the_host_runs_programs_agents_never_write(machine: Machine, project: str) -> None:
    """`ic` and `bd` run hooks of the folder they work in, with the host's rights."""
    machine.admission = Admission(
        file=machine.file,
        off_limits=(machine.base / "home",),
        groups=lambda: machine.groups,
        run_in=(machine.base / project,),
    )
    machine.allow(("allowed", True))
    machine.admit(str(machine.base / "allowed/docs"), write=True, main=True)
    assert not machine.writable
    if project != "allowed":
        machine.admit(str(machine.base / "allowed/write"), write=True, main=True)
        assert machine.writable
