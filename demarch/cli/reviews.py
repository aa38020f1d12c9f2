"""Review verdicts: files that reviewers leave in the project, newest first; no link is followed."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import structlog

from demarch.cli.parsing import Data, an_object, line_of, moment_of, number_of, text_of
from demarch.errors import DemarchError
from demarch.files import names_beneath, read_beneath
from demarch.phrases import one_line

log = structlog.get_logger()

#: where verdicts lie, and what a name must have in it to be one
PLACES = (("docs/research/flux-drive", "verdict"), ("docs/research", "verdict"), (".clavain/verdicts", ""))
SHOWN = 10
_LARGEST = 256 * 1024
_READ = 60  #: so many files of each place
_WORDS = {
    "clean": "clean",
    "approve": "clean",
    "approved": "clean",
    "pass": "clean",
    "passed": "clean",
    "safe": "clean",
    "ready": "clean",
    "error": "error",
    "failed": "error",
    "needs_attention": "needs-changes",
    "needs_changes": "needs-changes",
    "blocked": "needs-changes",
    "risky": "needs-changes",
    "reject": "needs-changes",
    "rejected": "needs-changes",
}


async def verdicts(folder: Path, run_id: str | None, limit: int = SHOWN) -> Sequence[Data]:
    """The latest verdicts; with a run those that name no other one."""
    return await asyncio.to_thread(_verdicts, folder, run_id, limit)


def _verdicts(folder: Path, run_id: str | None, limit: int) -> Sequence[Data]:
    found = [data for data in _all(folder) if run_id is None or data["run_id"] in {run_id, ""}]
    return sorted(found, key=lambda data: (-data["created_at"], data["id"]))[:limit]


def _all(folder: Path) -> Iterator[Data]:
    for place, sign in PLACES:
        names = [(name, at) for name, at in names_beneath(folder, place) if _is_verdict(name, sign)]
        for name, at in names[:_READ]:
            data = _one(folder, f"{place}/{name}", at)
            if data is not None:
                yield data


def _is_verdict(name: str, sign: str) -> bool:
    return name.endswith(".json") and not name.startswith(".") and sign in name.lower()


def _one(folder: Path, path: str, at: float) -> Data | None:
    """None for a file that cannot be read or says nothing."""
    try:
        content = read_beneath(folder, path, _LARGEST)
        return verdict_data(an_object(content.decode("utf-8", "replace")), path, at)
    except DemarchError as error:
        log.info("verdict.unreadable", path=one_line(path, 120), why=str(error))
        return None


def verdict_data(given: Mapping[str, Any], path: str, at: float) -> Data:
    """One verdict in the shape every kernel of ours uses, whoever wrote the file."""
    then = next(
        (m for m in (moment_of(given, name) for name in ("timestamp", "created_at", "date")) if m), None
    )
    findings = given.get("findings")
    return {
        "id": one_line(path, 200),
        "run_id": line_of(given, "run_id"),
        "phase": line_of(given, "phase") or "review",
        "reviewer": line_of(given, "reviewer") or line_of(given, "agent") or _named_by(path),
        "verdict": _word(given),
        "summary": text_of(given, "summary"),
        "findings": len(findings) if isinstance(findings, list) else number_of(given, "findings_count"),
        "created_at": int(then.timestamp() if then else at),
    }


def _word(given: Mapping[str, Any]) -> str:
    said = line_of(given, "verdict", 32) or line_of(given, "status", 32)
    return _WORDS.get(said.lower().replace("-", "_").replace(" ", "_"), said.lower()) or "error"


def _named_by(path: str) -> str:
    """Files are named after who reviewed: fd-safety.json, fd-safety-verdict.json."""
    stem = PurePosixPath(path).stem.lower().replace("verdict", "").strip("-_. ")
    return one_line(stem, 64) or "reviewer"
