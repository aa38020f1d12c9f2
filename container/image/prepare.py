"""Runs while the image is built: an account and folders for the agent, and bytecode for all of Python.

Afterwards the root is read-only: what is not compiled now would be compiled at every start.
"""

import compileall
import os
import pathlib
import py_compile
import re
import sys

SKIP = re.compile(r"/(test|tests|idlelib|lib2to3|ensurepip|turtledemo|tkinter)/")
ACCOUNT = {"passwd": "agent:x:10001:10001::/home/agent:/bin/sh\n", "group": "agent:x:10001:\n"}
FOLDERS = ("/home/agent", "/workspace")


def account(etc: pathlib.Path) -> None:
    """Programs look up who they are, and some end when they are nobody."""
    for name, line in ACCOUNT.items():
        file = etc / name
        known = file.read_text() if file.is_file() else ""
        if line not in known:
            file.write_text(known + line)


def main() -> int:
    account(pathlib.Path("/etc"))
    for folder in FOLDERS:
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    os.chown("/home/agent", 10001, 10001)
    folders = (pathlib.Path(os.__file__).parent, pathlib.Path(__file__).resolve().parent)
    # Unchecked: files never change in an image, and their times may.
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    return not all(compileall.compile_dir(f, quiet=1, rx=SKIP, invalidation_mode=mode) for f in folders)


if __name__ == "__main__":
    sys.exit(main())
