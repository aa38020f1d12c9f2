"""The tracker's database: `.beads` found by walking up from the current folder."""

from __future__ import annotations

import _sqlite3
import os

from tests.servers.kernels import shell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

FOLDER = ".beads"
NAME = "beads.db"
_SIGNS = "0123456789abcdefghijklmnopqrstuvwxyz"

SCHEMA = """
CREATE TABLE IF NOT EXISTS config (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS issues (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, description TEXT NOT NULL DEFAULT '',
    design TEXT NOT NULL DEFAULT '',
    acceptance_criteria TEXT NOT NULL DEFAULT '', notes TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL DEFAULT 'open',
    priority INTEGER NOT NULL DEFAULT 2, issue_type TEXT NOT NULL DEFAULT 'task',
    assignee TEXT NOT NULL DEFAULT '',
    owner TEXT NOT NULL DEFAULT '', created_at REAL NOT NULL, created_by TEXT NOT NULL DEFAULT '',
    updated_at REAL NOT NULL, started_at REAL, closed_at REAL, close_reason TEXT NOT NULL DEFAULT '',
    external_ref TEXT NOT NULL DEFAULT '', metadata TEXT NOT NULL DEFAULT '{}');
CREATE TABLE IF NOT EXISTS labels (issue_id TEXT NOT NULL, label TEXT NOT NULL, PRIMARY KEY (issue_id,
    label));
CREATE TABLE IF NOT EXISTS dependencies (
    issue_id TEXT NOT NULL, depends_on_id TEXT NOT NULL, type TEXT NOT NULL, created_at REAL NOT NULL,
    created_by TEXT NOT NULL DEFAULT '', PRIMARY KEY (issue_id, depends_on_id));
"""


def make(folder: str, prefix: str) -> None:
    os.makedirs(os.path.join(folder, FOLDER), mode=0o700, exist_ok=True)
    db = _sqlite3.connect(os.path.join(folder, FOLDER, NAME), isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = OFF")
    db.executescript(SCHEMA)
    db.execute("INSERT OR REPLACE INTO config VALUES ('prefix', ?)", (prefix,))
    db.close()


def find() -> str | None:
    folder = os.getcwd()
    while True:
        path = os.path.join(folder, FOLDER, NAME)
        if os.path.exists(path):
            return path
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def missing() -> NoReturn:
    shell.complain(
        "Error: no beads database found\n"
        "Hint: run 'bd where' to inspect the resolved workspace, or 'bd init' to create a new database\n"
        "      or set BEADS_DIR to point to your .beads directory"
    )
    raise shell.Ended(1)


def connect() -> Any:
    path = find()
    if path is None:
        missing()
    # The real one waits for its lock for a long time.
    db = _sqlite3.connect(path, timeout=10, isolation_level=None)
    db.row_factory = _sqlite3.Row
    db.execute("PRAGMA synchronous = OFF")
    return db


def prefix_of(db: Any) -> str:
    return str(db.execute("SELECT value FROM config WHERE key = 'prefix'").fetchone()[0])


def new_id(db: Any) -> str:
    prefix = prefix_of(db)
    while True:
        candidate = f"{prefix}-{''.join(_SIGNS[byte % len(_SIGNS)] for byte in os.urandom(3))}"
        if db.execute("SELECT 1 FROM issues WHERE id = ?", (candidate,)).fetchone() is None:
            return candidate
