"""Artifacts, review verdicts and discoveries in words."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from demarch.phrases import ago, one_line, plural, quoted

Data = Mapping[str, Any]

LONGEST = 48 * 1024


def artifact(data: Data) -> str:
    gone = ", rolled back" if data.get("status") == "rolled_back" else ""
    return f"{one_line(data['path'], 160)} · {data['type']} of {data['phase']}{gone} · {data['id']}"


def artifacts(items: Sequence[Data]) -> str:
    return "\n".join(artifact(item) for item in items) if items else "This run has no artifacts yet."


def artifact_text(data: Data, content: str) -> str:
    """The content below a line that says what it is; cut where a reader would drown."""
    cut = "\n[…]" if len(content) > LONGEST else ""
    return f"{artifact(data)}\n\n{content[:LONGEST]}{cut}"


def verdict(data: Data, now: datetime) -> str:
    found = (
        "clean"
        if data["verdict"] == "clean"
        else f"{data['verdict']} ({plural(data['findings'], 'finding')})"
    )
    when = ago(now, datetime.fromtimestamp(data["created_at"], UTC))
    about = f": {one_line(data['summary'], 400)}" if data["summary"] else ""
    return f"{one_line(data['reviewer'], 64)} on {data['phase']}, {when}: {found}{about}"


def verdicts(items: Sequence[Data], goal: str, now: datetime) -> str:
    if not items:
        return f"Nobody has reviewed {quoted(goal)} yet." if goal else "There are no review verdicts."
    heading = f"Reviews of {quoted(goal)}, newest first:" if goal else "Reviews, newest first:"
    return "\n".join([heading, *(verdict(item, now) for item in items)])


def discovery(data: Data) -> str:
    about = f" — {one_line(data['summary'], 240)}" if data.get("summary") else ""
    where = f" · {one_line(data['url'], 160)}" if data.get("url") else ""
    origin = f"{one_line(data['source'], 40)}, {data['confidence_tier']}, {data['status']}"
    return f"{one_line(data['title'], 160)}{about}{where} · {origin} · {data['id']}"


def discoveries(items: Sequence[Data], nothing: str) -> str:
    return "\n".join(discovery(item) for item in items) if items else nothing


def registered(data: Data, new: bool) -> str:
    word = "Kept" if new else "Known already"
    return f"{word}: {quoted(data['title'])}. ({data['id']})"


def triaged(data: Data) -> str:
    if data["status"] == "promoted":
        return f"Promoted: {quoted(data['title'])} is the issue {data['bead_id']}. ({data['id']})"
    return f"Dismissed: {quoted(data['title'])}. ({data['id']})"
