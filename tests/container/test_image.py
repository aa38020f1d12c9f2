"""The agents' image: built here, told apart by its content, cleared away when it is old."""

import io
import shutil
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from container import base, context, recipes
from container.building import LABEL
from container.engine import Engine
from container.image_builder import ImageBuilder
from container.planning import BRIDGE
from container.runtimes import LOCAL
from container.sandbox import ImageMissing

if TYPE_CHECKING:
    from docker import APIClient


@pytest.mark.docker
async def test_the_image_is_built_once_and_listed(engine: Engine, image: str) -> None:
    said: list[str] = []
    builder = ImageBuilder(engine, version="test")
    assert await builder.ensure(LOCAL, said.append) == image == builder.tags[LOCAL]
    assert said == [f"The image {image} is there."]
    [current] = [found for found in await builder.list() if found.current and found.runtime == LOCAL]
    assert (current.tag, current.size > 10_000_000) == (image, True)


@pytest.mark.docker
async def test_old_images_are_cleared_away_unless_they_are_in_use(engine: Engine, image: str) -> None:
    made = await engine.run(
        lambda client: list(
            client.build(
                fileobj=_dockerfile(f"FROM {image}\nLABEL old=yes\n"), custom_context=True,
                tag="intercom-agent-local:old", decode=True, labels={LABEL: "agent"}, rm=True, forcerm=True,
            )
        )
    )  # fmt: skip
    assert not [row for row in made if "error" in row]
    container = await engine.run(lambda client: client.create_container("intercom-agent-local:old", "true"))
    builder = ImageBuilder(engine, version="test")
    try:
        assert "intercom-agent-local:old" not in await builder.prune()
    finally:
        await engine.run(lambda client: client.remove_container(container["Id"]))
    assert "intercom-agent-local:old" in await builder.prune()
    assert "intercom-agent-local:old" not in {found.tag for found in await builder.list()}
    assert await builder.exists()


@pytest.mark.docker
async def test_somebodys_own_image_that_stands_on_ours_is_neither_listed_nor_cleared_away(
    engine: Engine, image: str
) -> None:
    own = "somebodys-agent:1"
    made = await engine.run(
        lambda client: list(
            client.build(
                fileobj=_dockerfile(f"FROM {image}\nLABEL own=yes\n"), custom_context=True,
                tag=own, decode=True, rm=True, forcerm=True,
            )
        )
    )  # fmt: skip
    assert not [row for row in made if "error" in row]
    builder = ImageBuilder(engine, version="test")
    try:
        assert own not in {found.tag for found in await builder.list()}
        assert own not in await builder.prune()
        assert await engine.run(lambda client: client.images(own))
    finally:
        await engine.run(lambda client: client.remove_image(own))


@pytest.mark.docker
async def test_an_image_that_lost_its_tag_to_another_is_not_listed_but_cleared_away(
    engine: Engine, image: str
) -> None:
    def make(client: "APIClient", content: str) -> str:
        said = client.build(
            fileobj=_dockerfile(f"FROM {image}\nLABEL content={content}\n"), custom_context=True,
            tag="intercom-agent-local:twice", labels={LABEL: "agent"}, decode=True, rm=True, forcerm=True,
        )  # fmt: skip
        assert not [row for row in said if "error" in row]
        return str(client.images("intercom-agent-local:twice")[0]["Id"])

    first = await engine.run(lambda client: make(client, "one"))
    await engine.run(lambda client: make(client, "two"))
    builder = ImageBuilder(engine, version="test")
    assert "<none>:<none>" not in {found.tag for found in await builder.list()}
    removed = await builder.prune()
    assert {first, "intercom-agent-local:twice"} <= set(removed)


@pytest.mark.docker
@pytest.mark.skipif(shutil.which("mmdebstrap") is None, reason="mmdebstrap is not installed")
async def test_the_base_is_made_with_progress_and_without_addresses(engine: Engine, image: str) -> None:
    said: list[str] = []
    name = base.local_name(base.python_release(), base.codename())
    if await engine.run(lambda client: client.images(name)):
        await engine.run(lambda client: client.remove_image(name))  # its name only: the image stands on it
    assert await engine.run(lambda client: base.make(client, said.append)) == name
    assert len(said) > 3
    assert not [line for line in said if "://" in line]


@pytest.mark.docker
async def test_a_base_that_does_not_exist_is_said_so(engine: Engine) -> None:
    builder = ImageBuilder(engine, version="test", base_image="intercom-base:nothing")
    with pytest.raises(ImageMissing, match="could not be built"):
        await builder.ensure(LOCAL, lambda _: None)
    assert not await builder.exists()


def test_the_tag_follows_the_content_the_base_and_the_user() -> None:
    made = {recipes.recipe("claude", base_image, user) for base_image in ("a", "b") for user in (1, 2)}
    assert len({each.agent for each in made}) == len({each.packages for each in made}) == 4
    assert len({each.node for each in made}) == 2
    assert {each.agent for each in made} == {
        recipes.recipe("claude", base_image, user).agent for base_image in ("a", "b") for user in (1, 2)
    }


def test_the_context_holds_what_the_image_runs_and_nothing_else() -> None:
    packed = io.BytesIO()
    context.pack(recipes.agent_entries(LOCAL), packed)
    with tarfile.open(fileobj=packed) as tar:
        names = tar.getnames()
        times = {member.mtime for member in tar}
    programs = {"bridge.py", "forward.py", "local_agent.py", "local/serving.py"}
    assert {"Dockerfile", *(f"root/opt/intercom/{name}" for name in programs)} <= set(names)
    assert not [name for name in names if name.endswith(".pyc") or "__pycache__" in name]
    assert not [name for name in names if "claude" in name or name == "root/opt/intercom/__init__.py"]
    assert times == {0}
    assert f"root{BRIDGE}" in names


def test_only_how_to_fetch_is_taken_from_the_machines_apt() -> None:
    dump = (
        'APT::Architecture "amd64";\nAcquire::http::Proxy "http://p:1";\nAcquire::Check-Date "false";\n'
        'DPkg::Post-Invoke:: "rm -f /x";\nAcquire "";\nAcquire::http::User-Agent "x"; evil "y";\n'
    )
    assert base.apt_settings(dump) == 'Acquire::http::Proxy "http://p:1";\nAcquire::Check-Date "false";\n'


def test_sources_are_found_in_both_forms(folder: Path) -> None:
    parts = folder / "sources.list.d"
    parts.mkdir()
    (folder / "sources.list").write_text("# nothing\n")
    (parts / "a.list").write_text("deb http://x y main\n")
    (parts / "b.sources").write_text("Types: deb\nURIs: http://x\n")
    (parts / "c.sources.disabled").write_text("URIs: http://x\n")
    assert [file.name for file in base.sources(folder)] == ["a.list", "b.sources"]


def test_errors_are_told_without_addresses() -> None:
    told = base._without_addresses(
        ["E: cannot reach http://mirror.example.org:80/debian bookworm (10.0.0.7)"]
    )
    assert "example" not in told
    assert "10.0.0.7" not in told
    assert "cannot reach" in told


def _dockerfile(text: str) -> io.BytesIO:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text.encode()))
    packed.seek(0)
    return packed
