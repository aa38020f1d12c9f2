"""What is decided before the start: the sandbox, and this install's id."""

from pathlib import Path
from uuid import UUID

import pytest

from container.docker import DockerSandbox
from container.engine import Engine
from container.process import ProcessSandbox
from host.install import install_id
from host.starting import StartRefused, choose_sandbox

FIRST = UUID(int=1)
SECOND = UUID(int=2)


HERE, PROCESS = ProcessSandbox("here"), ProcessSandbox("process")
AWAY = DockerSandbox("away", Engine("unix:///nonexistent/docker.sock"))


async def test_auto_takes_docker_when_it_answers() -> None:
    chosen = await choose_sandbox("auto", docker=HERE, process=PROCESS, networks=["Telegram"])
    assert chosen.sandbox is HERE
    assert chosen.notes == ()


async def test_auto_takes_processes_only_when_nobody_outside_can_write_to_us() -> None:
    chosen = await choose_sandbox("auto", docker=AWAY, process=PROCESS, networks=[])
    assert chosen.sandbox is PROCESS
    assert "not isolated" in chosen.notes[0]
    with pytest.raises(StartRefused) as refused:
        await choose_sandbox("auto", docker=AWAY, process=PROCESS, networks=["Telegram"])
    assert "Telegram is configured" in str(refused.value)
    assert "ocker" in str(refused.value)


async def test_docker_that_was_asked_for_and_does_not_answer_is_refused() -> None:
    with pytest.raises(StartRefused, match="INTERCOM_SANDBOX is docker"):
        await choose_sandbox("docker", docker=AWAY, process=PROCESS, networks=[])


async def test_process_asked_for_is_taken_and_told() -> None:
    chosen = await choose_sandbox("process", docker=HERE, process=PROCESS, networks=[])
    assert chosen.sandbox is PROCESS
    assert chosen.notes


def test_the_install_id_is_made_once(tmp_path: Path) -> None:
    assert install_id(tmp_path, FIRST) == FIRST.hex
    assert install_id(tmp_path, SECOND) == FIRST.hex
    assert (tmp_path / "install-id").stat().st_mode & 0o777 == 0o600


def test_a_damaged_install_id_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "install-id").write_text("nonsense")
    with pytest.raises(StartRefused, match="damaged"):
        install_id(tmp_path, FIRST)
