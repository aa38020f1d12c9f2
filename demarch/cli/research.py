"""Discoveries as `ic` keeps them: listed by the kernel, searched and ranked here, since it knows no words."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from demarch.cli.commands import command
from demarch.cli.parsing import Data, line_of, moment_of, objects, text_of
from demarch.cli.process import Runner
from demarch.errors import NotFound
from demarch.kernel import Discovery
from demarch.phrases import one_line

SEARCHED = 2000  #: so many of them are looked through
_WORD = re.compile(r"\w+")
_TIMES = ("discovered_at", "promoted_at", "reviewed_at")
_TEXTS = ("source", "source_id", "title", "summary", "url", "status", "run_id", "bead_id")
_TIERS = ((0.8, "high"), (0.5, "medium"), (0.3, "low"))
_BEGINNING = datetime.fromtimestamp(0, UTC)


async def get(runner: Runner, discovery_id: str) -> Data:
    """Raises NotFound."""
    result = await runner.ask(command("discovery.status", discovery_id.lower()))
    found = objects(result.out)
    if result.code or not found or not text_of(found[0], "id"):
        raise NotFound(f"There is no discovery {one_line(discovery_id, 60)}.")
    return found[0]


async def listed(runner: Runner, *, status: str = "", limit: int = 100) -> Sequence[Data]:
    """The most relevant first."""
    result = await runner.ask(command("discovery.list", status=status or None, limit=limit))
    found = [data for data in objects(result.out) if text_of(data, "id")]
    fitting = [data for data in found if not status or text_of(data, "status") == status]
    return sorted(fitting, key=_relevance)[:limit]


async def search(runner: Runner, query: str, limit: int) -> Sequence[Data]:
    """All words, each also as a beginning, first; parts of words when that finds nothing."""
    known = [data for data in await listed(runner, limit=SEARCHED) if text_of(data, "status") != "dismissed"]
    words = _WORD.findall(query.lower())
    hits = [(_hits(data, words), data) for data in known] if words else []
    found = [data for _, data in sorted(((n, d) for n, d in hits if n), key=lambda hit: -hit[0])]
    found = found or [data for data in known if _inside(data, query.lower())]
    return [discovery_data(data) for data in found[:limit]]


def _hits(data: Mapping[str, Any], words: Sequence[str]) -> int:
    """How often the words are met, in the title three times as much; 0 when one of them is missing."""
    title, about = (
        _WORD.findall(text_of(data, "title").lower()),
        _WORD.findall(text_of(data, "summary").lower()),
    )
    met = [
        3 * sum(known.startswith(word) for known in title) + sum(known.startswith(word) for known in about)
        for word in words
    ]
    return sum(met) if all(met) else 0


def _inside(data: Mapping[str, Any], query: str) -> bool:
    return any(query in text_of(data, name).lower() for name in ("title", "summary", "url"))


def _score(data: Mapping[str, Any]) -> float:
    score = data.get("relevance_score")
    fits = isinstance(score, (int, float)) and not isinstance(score, bool)
    return min(1.0, max(0.0, float(score))) if fits and score is not None else 0.0


def _relevance(data: Mapping[str, Any]) -> tuple[float, datetime, str]:
    return -_score(data), moment_of(data, "discovered_at") or _BEGINNING, text_of(data, "id")


def discovery_data(data: Mapping[str, Any]) -> Data:
    """What `ic discovery list` prints, without what nobody reads."""
    kept: Data = {name: text_of(data, name) for name in _TEXTS if data.get(name)}
    score = _score(data)
    kept |= {
        "id": line_of(data, "id"),
        "source": line_of(data, "source"),
        "status": line_of(data, "status", 32) or "new",
        "title": text_of(data, "title"),
        "relevance_score": score,
        "confidence_tier": next((tier for least, tier in _TIERS if score >= least), "discard"),
    }
    for name in _TIMES:
        if (then := moment_of(data, name)) is not None:
            kept[name] = int(then.timestamp())
    return kept


def discovery_of(data: Mapping[str, Any]) -> Discovery:
    return Discovery(
        id=line_of(data, "id"),
        source=line_of(data, "source"),
        title=text_of(data, "title"),
        summary=text_of(data, "summary"),
        url=text_of(data, "url"),
        score=_score(data),
        status=line_of(data, "status", 32) or "new",
        issue_id=line_of(data, "bead_id"),
        discovered_at=moment_of(data, "discovered_at") or _BEGINNING,
    )
