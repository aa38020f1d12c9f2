"""What an agents' image is made of: its files, their hash, and the archive the engine builds from."""

import io
import tarfile
from hashlib import sha256
from pathlib import Path

IMAGE = Path(__file__).parent / "image"
REPOSITORY = "intercom-agent"
OUTSIDE = {"__init__.py"}  #: at the top, for the checkout's imports only
EPOCH = 0  #: files carry no time of their own: the same content is the same image


def files() -> list[tuple[str, Path]]:
    """Name in the image's context and place, sorted."""
    found = [path for path in IMAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    named = [(path.relative_to(IMAGE).as_posix(), path) for path in found]
    return sorted((name, path) for name, path in named if name not in OUTSIDE)


def content_hash(base: str) -> str:
    """Twelve characters that change with any file in the image and with the base that was asked for."""
    digest = sha256(base.encode())
    for name, path in files():
        content = path.read_bytes()
        digest.update(f"\0{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


def archive() -> io.BytesIO:
    """The build context as an uncompressed tar."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, path in files():
            content = path.read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(content), 0o644, EPOCH
            tar.addfile(entry, io.BytesIO(content))
    packed.seek(0)
    return packed
