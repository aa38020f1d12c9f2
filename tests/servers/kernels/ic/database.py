"""The kernel's database: found by walking up from the current folder, SQLite in WAL mode, busy for 100 ms."""

from __future__ import annotations

import os

from tests.servers.kernels import shell
from tests.servers.kernels.ic import words as said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FOLDER = ".clavain"
NAME = "intercore.db"
SCHEMA_VERSION = 40
_SIGNS = "abcdefghijklmnopqrstuvwxyz0123456789"

SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, project_dir TEXT NOT NULL, goal TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'active',
    phase TEXT NOT NULL, complexity INTEGER NOT NULL, force_full INTEGER NOT NULL DEFAULT 0,
    auto_advance INTEGER NOT NULL DEFAULT 1, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    completed_at INTEGER, scope_id TEXT, metadata TEXT, phases TEXT, token_budget INTEGER,
    budget_warn_pct INTEGER DEFAULT 80, parent_run_id TEXT, max_dispatches INTEGER DEFAULT 0,
    budget_enforce INTEGER DEFAULT 0, max_agents INTEGER DEFAULT 0, gate_rules TEXT, goal_id TEXT);
CREATE INDEX IF NOT EXISTS runs_parent ON runs(parent_run_id);
CREATE TABLE IF NOT EXISTS phase_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, from_phase TEXT NOT NULL,
    to_phase TEXT NOT NULL,
    event_type TEXT NOT NULL, gate_result TEXT, gate_tier TEXT, reason TEXT, envelope_json TEXT,
    created_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS phase_events_run ON phase_events(run_id);
CREATE TABLE IF NOT EXISTS dispatch_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, dispatch_id TEXT NOT NULL, run_id TEXT, from_status TEXT NOT NULL,
    to_status TEXT NOT NULL, event_type TEXT NOT NULL, reason TEXT, envelope_json TEXT,
    created_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS discovery_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, discovery_id TEXT NOT NULL, event_type TEXT NOT NULL,
    from_status TEXT NOT NULL DEFAULT '', to_status TEXT NOT NULL DEFAULT '', payload TEXT,
    created_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS coordination_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, lock_id TEXT, run_id TEXT, event_type TEXT NOT NULL,
    owner TEXT NOT NULL,
    pattern TEXT NOT NULL, scope TEXT, reason TEXT, created_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS review_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT, finding_id TEXT NOT NULL, agents_json TEXT NOT NULL,
    resolution TEXT NOT NULL, dismissal_reason TEXT, chosen_severity TEXT NOT NULL, impact TEXT NOT NULL,
    event_type TEXT NOT NULL, session_id TEXT, project_dir TEXT, created_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS interspect_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT, agent_name TEXT NOT NULL, event_type TEXT NOT NULL,
    override_reason TEXT, context_json TEXT, session_id TEXT, project_dir TEXT, created_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS intent_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, intent_type TEXT NOT NULL, bead_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL, session_id TEXT, run_id TEXT, success INTEGER NOT NULL, error_detail TEXT,
    created_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS run_agents (
    id TEXT PRIMARY KEY, run_id TEXT NOT NULL, agent_type TEXT NOT NULL, name TEXT, status TEXT NOT NULL,
    dispatch_id TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS run_artifacts (
    id TEXT PRIMARY KEY, run_id TEXT NOT NULL, phase TEXT NOT NULL, path TEXT NOT NULL, type TEXT NOT NULL,
    content_hash TEXT, dispatch_id TEXT, status TEXT NOT NULL DEFAULT 'active', created_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS dispatches (
    id TEXT PRIMARY KEY, agent_type TEXT NOT NULL, status TEXT NOT NULL, project_dir TEXT NOT NULL,
    prompt_file TEXT, name TEXT, pid INTEGER, turns INTEGER DEFAULT 0, commands INTEGER DEFAULT 0,
    messages INTEGER DEFAULT 0, input_tokens INTEGER DEFAULT 0, output_tokens INTEGER DEFAULT 0,
    cache_hits INTEGER, created_at INTEGER NOT NULL, started_at INTEGER, completed_at INTEGER,
    verdict_status TEXT, verdict_summary TEXT, scope_id TEXT);
CREATE TABLE IF NOT EXISTS discoveries (
    id TEXT PRIMARY KEY, source TEXT NOT NULL, source_id TEXT NOT NULL, title TEXT NOT NULL,
    summary TEXT NOT NULL DEFAULT '', url TEXT NOT NULL DEFAULT '', raw_metadata TEXT NOT NULL DEFAULT '{}',
    relevance_score REAL NOT NULL DEFAULT 0, confidence_tier TEXT NOT NULL, status TEXT NOT NULL, run_id TEXT,
    bead_id TEXT, discovered_at INTEGER NOT NULL, promoted_at INTEGER, reviewed_at INTEGER,
    UNIQUE (source, source_id));
CREATE TABLE IF NOT EXISTS feedback_signals (
    id INTEGER PRIMARY KEY AUTOINCREMENT, discovery_id TEXT NOT NULL, signal_type TEXT NOT NULL,
    signal_data TEXT,
    actor TEXT, idempotency_key TEXT, created_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS state (
    key TEXT NOT NULL, scope_id TEXT NOT NULL, payload TEXT NOT NULL, updated_at INTEGER NOT NULL,
    expires_at INTEGER, PRIMARY KEY (key, scope_id));
CREATE TABLE IF NOT EXISTS project_deps (
    portfolio_run_id TEXT NOT NULL, upstream_project TEXT NOT NULL, downstream_project TEXT NOT NULL,
    created_at INTEGER NOT NULL, PRIMARY KEY (portfolio_run_id, upstream_project, downstream_project));
"""


def new_id(length: int = 8) -> str:
    return "".join(_SIGNS[byte % len(_SIGNS)] for byte in os.urandom(length))


def stamp() -> int:
    return int(shell.now())


class Database:
    """Where the database is, and how to get at it."""

    def __init__(self) -> None:
        self.given = ""
        self.timeout = 0.1
        self.json = False

    def path(self) -> str:
        if self.given:
            return _checked(self.given)
        folder = os.getcwd()
        while True:
            candidate = os.path.join(folder, FOLDER, NAME)
            if os.path.exists(candidate):
                return candidate
            parent = os.path.dirname(folder)
            if parent == folder:
                return os.path.join(FOLDER, NAME)
            folder = parent

    def open(self) -> Any:
        import _sqlite3

        path = self.path()
        folder = os.path.dirname(path) or "."
        if os.path.islink(folder):
            said.broken("open", f"open: {folder} is a symlink (refusing to create DB)")
        db = _sqlite3.connect(path, timeout=self.timeout, isolation_level=None)
        db.row_factory = _sqlite3.Row
        db.execute("PRAGMA journal_mode = WAL")
        # Losing what a test wrote when the machine fails harms nobody.
        db.execute("PRAGMA synchronous = OFF")
        return db

    def make(self) -> str:
        path = self.path()
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        db = self.open()
        db.executescript(SCHEMA)
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        db.close()
        os.chmod(path, 0o600)
        return path

    def version(self) -> int:
        return int(self.open().execute("PRAGMA user_version").fetchone()[0])


def _checked(path: str) -> str:
    cleaned = os.path.normpath(path)
    problem = ""
    if not cleaned.endswith(".db"):
        problem = f"ic: db path must have .db extension: {path}"
    elif ".." in cleaned:
        problem = f"ic: db path must not contain '..': {path}"
    elif not os.path.abspath(cleaned).startswith(os.getcwd() + os.sep):
        problem = (
            f"ic: db path must be under current directory: {path} resolves to {os.path.abspath(cleaned)}"
        )
    if problem:
        said.broken("open", problem)
    return path
