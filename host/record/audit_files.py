"""What the audit log keeps outside the database: its key and a copy of its head."""

import json
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from host.record.audit_chain import Head

KEY_BYTES = 32


class AuditBroken(Exception):
    """The audit log cannot be continued as it is. The message says what a person has to do."""


@dataclass(frozen=True, slots=True)
class AuditFiles:
    """`audit.key` (readable by its owner only) and `audit.head` in the host's folder. All calls block."""

    folder: Path

    @property
    def key_file(self) -> Path:
        return self.folder / "audit.key"

    @property
    def head_file(self) -> Path:
        return self.folder / "audit.head"

    def key(self) -> bytes | None:
        try:
            key = self.key_file.read_bytes()
        except FileNotFoundError:
            return None
        if len(key) != KEY_BYTES:
            raise AuditBroken(f"{self.key_file} is not an audit key; restore it from a backup.")
        return key

    def begin(self) -> bytes:
        """For a log without entries: make what is missing; whoever loses a race takes the winner's."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._place(self.key_file, secrets.token_bytes(KEY_BYTES))
        self._place(self.head_file, _written_head(Head(seq=0, mac=b"")))
        self._sync_folder()
        key = self.key()
        if key is None:
            raise AuditBroken(f"{self.key_file} disappeared while it was made.")
        return key

    def head(self) -> Head | None:
        """The copy of the head, or None when there is none. Raises AuditBroken when it is unreadable."""
        try:
            kept = json.loads(self.head_file.read_text(encoding="ascii"))
            return Head(seq=int(kept["seq"]), mac=bytes.fromhex(kept["mac"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise AuditBroken(f"{self.head_file} cannot be read as the head of the audit log.") from error

    def keep(self, head: Head) -> None:
        """Replace the copy; after a crash there is the old one or the new one, never half of it."""
        self._written(_written_head(head)).replace(self.head_file)
        self._sync_folder()

    def _place(self, file: Path, content: bytes) -> None:
        """Create the file whole, unless it is there."""
        made = self._written(content)
        try:
            os.link(made, file)
        except FileExistsError:
            pass
        finally:
            made.unlink()

    def _written(self, content: bytes) -> Path:
        """A file of its own with this content, safely on disk, to be put in its place."""
        descriptor, name = tempfile.mkstemp(prefix=".audit.", dir=self.folder)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(descriptor)
        return Path(name)

    def _sync_folder(self) -> None:
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _written_head(head: Head) -> bytes:
    return json.dumps({"seq": head.seq, "mac": head.mac.hex()}).encode("ascii")
