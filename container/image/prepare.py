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
AUTHORITIES = pathlib.Path("/usr/share/ca-certificates")  #: as the distribution has them, one a file
BUNDLE = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")  #: as programs read them
OPENSSL = pathlib.Path("/usr/lib/ssl/cert.pem")  #: where OpenSSL looks by itself
FOLDERS = ("/home/agent", "/workspace")


def account(etc: pathlib.Path) -> None:
    """Programs look up who they are, and some end when they are nobody."""
    for name, line in ACCOUNT.items():
        file = etc / name
        known = file.read_text() if file.is_file() else ""
        if line not in known:
            file.write_text(known + line)


def certificates(found: pathlib.Path, bundle: pathlib.Path, link: pathlib.Path) -> None:
    """Whom to believe on the way to hosts that a group may reach; no program of the distribution ran here."""
    parts = [file.read_text().strip() for file in sorted(found.rglob("*.crt"))]
    if bundle.exists() or not parts:
        return
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_text("\n".join(parts) + "\n")
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.exists():
        link.symlink_to(bundle)


def main() -> int:
    account(pathlib.Path("/etc"))
    certificates(AUTHORITIES, BUNDLE, OPENSSL)
    for folder in FOLDERS:
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    os.chown("/home/agent", 10001, 10001)
    folders = (pathlib.Path(os.__file__).parent, pathlib.Path(__file__).resolve().parent)
    # Unchecked: files never change in an image, and their times may.
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    return not all(compileall.compile_dir(f, quiet=1, rx=SKIP, invalidation_mode=mode) for f in folders)


if __name__ == "__main__":
    sys.exit(main())
