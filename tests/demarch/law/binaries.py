"""Finds the real binaries, and makes a project with them: on PATH, or where the setup script put them."""

import asyncio
import functools
import os
import shutil
import subprocess
from pathlib import Path

from tests.servers.kernels import project as fakes
from tests.servers.kernels.project import Project

#: of the same name as in scripts/setup
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "intercom" / "kernel"  # noqa: TID251
_PLACES = (CACHE, Path.home() / ".local/bin", Path.home() / "go/bin", Path("/usr/local/bin"))
_SECONDS = 60


@functools.cache
def found(program: str) -> Path | None:
    """Something else may have the same name: it must say the version as the real one does."""
    known = shutil.which(program)
    for candidate in (*([Path(known)] if known else []), *(place / program for place in _PLACES)):
        if candidate.is_file() and os.access(candidate, os.X_OK) and _is_it(program, candidate):
            return candidate.resolve()
    return None


def _is_it(program: str, path: Path) -> bool:
    command = [str(path), "version"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and done.stdout.startswith(f"{program} ")


def missing(program: str) -> str:
    """Why the laws are not tried on it."""
    path = CACHE / f"{program}.why"
    why = path.read_text().strip() if path.is_file() else f"scripts/setup --dev has not put {program} there"
    return f"the real {program} is neither on PATH nor in {CACHE}: {why}"


class Template:
    """Folders with initialised kernels; `bd init` takes seconds, so it is done once and copied."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._made: dict[str, Path] = {}

    async def project(self, place: Path, real: dict[str, Path]) -> Project:
        """A project whose `bin` holds these binaries, and fakes for the others."""
        name = "-".join(sorted(real))
        if name not in self._made:
            self._made[name] = await self._make(name, real)
        folder, home = place / "project", place / "home"
        await asyncio.to_thread(shutil.copytree, self._made[name], folder)
        home.mkdir()
        return Project(folder.resolve(), _tools(place / "bin", real), home)

    async def _make(self, name: str, real: dict[str, Path]) -> Path:
        place = self._place / name
        project = await asyncio.to_thread(Project.create, place)
        shutil.rmtree(project.bin)
        project = Project(project.folder, _tools(place / "bin", real), project.home)
        for program, folder in (("ic", ".clavain"), ("bd", ".beads")):
            if program in real:
                shutil.rmtree(project.folder / folder)
        if "bd" in real:
            # The tracker keeps its history beside a repository's own.
            await _git(project)
            await _must(project, "bd", "init", "--prefix", "iv", "--quiet", "--skip-hooks", "--skip-agents")
        if "ic" in real:
            await _must(project, "ic", "init")
        return project.folder


def _tools(folder: Path, real: dict[str, Path]) -> Path:
    tools = fakes.install(folder)
    for program, path in real.items():
        (tools / program).unlink()
        (tools / program).symlink_to(path)
    return tools


async def _git(project: Project) -> None:
    for words in ("init -q", "config user.email ana@example.org", "config user.name ana"):
        process = await asyncio.create_subprocess_exec(
            "git", *words.split(), cwd=project.folder, env=project.environment
        )
        if await process.wait():
            raise RuntimeError(f"git {words} failed")


async def _must(project: Project, program: str, *words: str) -> None:
    answer = await project.raw(program, *words)
    if answer.code:
        raise RuntimeError(f"{program} {' '.join(words)}: {answer.out}{answer.err}")
