"""What the engine builds from: named files, their hash, and the archive that it is sent."""

import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import IO

EPOCH = 0  #: files carry no time of their own: the same content is the same image


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file or link, under the name it has in the context."""

    name: str
    path: Path | None = None
    content: bytes = b""  #: instead of a path


def tree(folder: Path, under: str = "") -> Iterator[Entry]:
    """All files below a folder, sorted; bytecode is left out."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if "__pycache__" not in inside.parts and (path.is_symlink() or path.is_file()):
            yield Entry(name=f"{under}{inside.as_posix()}", path=path)


def content_hash(parents: Iterable[str], entries: Iterable[Entry]) -> str:
    """Twelve characters that change with any of the files and with what they are put on."""
    digest = sha256()
    for parent in parents:
        digest.update(f"\0{parent}".encode())
    for entry in entries:
        content = entry.path.read_bytes() if entry.path else entry.content
        digest.update(f"\0{entry.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


def pack(entries: Iterable[Entry], into: IO[bytes]) -> None:
    """Write them as an uncompressed tar; everything belongs to root, and only root may write to it."""
    with tarfile.open(fileobj=into, mode="w") as tar:
        for entry in entries:
            if entry.path is None:
                _add(tar, entry.name, 0o644, BytesIO(entry.content), len(entry.content))
            elif entry.path.is_symlink():
                link = tarfile.TarInfo(entry.name)
                link.type, link.linkname, link.mtime = tarfile.SYMTYPE, str(entry.path.readlink()), EPOCH
                tar.addfile(link)
            else:
                state = entry.path.stat()
                mode = 0o755 if state.st_mode & 0o100 else 0o644
                with entry.path.open("rb") as file:
                    _add(tar, entry.name, mode, file, state.st_size)
    into.seek(0)


def _add(tar: tarfile.TarFile, name: str, mode: int, content: IO[bytes], size: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, mode, EPOCH
    tar.addfile(info, content)
