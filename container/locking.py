"""Resolves anew what the agents' images are made of; `scripts/lock` runs it. Versions are raised by hand.

The version of an agent stands in its package.json, that of Node.js in node.lock. The lock files get the hash
of every file, and lose whatever names a registry or a place to give money.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from container.packages import NPM, download, fetch_node
from container.recipes import IMAGE, NAMES, NODE
from container.runtimes import LOCAL

PROCESSORS = ("x86_64", "aarch64")
NAMING = ("resolved", "funding")


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        lock_node(NODE / "node.lock", folder)
        node = fetch_node(NODE / "node.lock", folder, say)
        for name in NAMES:
            if name != LOCAL:
                lock_packages(IMAGE / name, node)


def lock_node(lock: Path, scratch: Path) -> None:
    """The hashes of the wanted version's files, for every processor."""
    [wanted] = re.findall(r"^(\S+==\S+)", lock.read_text(), re.MULTILINE)
    hashes = []
    for processor in PROCESSORS:
        folder = scratch / processor
        download([wanted], processor, folder)
        [wheel] = folder.glob("*.whl")
        hashes.append(sha256(wheel.read_bytes()).hexdigest())
    lock.write_text(node_lock(wanted, hashes))
    say(f"{lock.name}: {wanted}")


def node_lock(wanted: str, hashes: Iterable[str]) -> str:
    return " \\\n".join([wanted, *(f"    --hash=sha256:{each}" for each in hashes)]) + "\n"


def lock_packages(folder: Path, node: Path) -> None:
    lock = folder / "package-lock.json"
    lock.unlink(missing_ok=True)
    command = [
        str(node / "bin" / "node"), str(node / NPM / "bin" / "npm-cli.js"), "install", "--package-lock-only",
        "--omit-lockfile-registry-resolved", "--ignore-scripts", "--no-audit", "--no-fund",
        "--loglevel=error",
    ]  # fmt: skip
    subprocess.run(command, cwd=folder, check=True)  # noqa: S603 - our own words
    lock.write_text(unnamed(lock.read_text()))
    say(f"{folder.name}: {lock.read_text().count('integrity')} packages")


def unnamed(lock: str) -> str:
    """A package-lock.json without the places it came from."""
    parsed = json.loads(lock)
    for entry in parsed["packages"].values():
        for key in NAMING:
            entry.pop(key, None)
    return json.dumps(parsed, indent=2, ensure_ascii=False) + "\n"


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
