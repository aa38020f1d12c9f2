"""Runs while the image is built: compiles what has no bytecode, because the root is read-only afterwards."""

import compileall
import os
import pathlib
import py_compile
import re
import sys

SKIP = re.compile(r"/(test|tests|idlelib|lib2to3|ensurepip|turtledemo|tkinter)/")


def main() -> int:
    folders = (pathlib.Path(os.__file__).parent, pathlib.Path(__file__).resolve().parent)
    # Unchecked: files never change in an image, and their times may.
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    return not all(compileall.compile_dir(f, quiet=1, rx=SKIP, invalidation_mode=mode) for f in folders)


if __name__ == "__main__":
    sys.exit(main())
