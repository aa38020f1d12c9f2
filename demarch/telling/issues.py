"""Issues in words. They come in the shape `bd` prints."""

from collections.abc import Mapping, Sequence
from typing import Any

from demarch.phrases import listing, one_line, plural, quoted

Issue = Mapping[str, Any]


def line(issue: Issue) -> str:
    """An issue on one line, its id last."""
    state = "blocked" if issue.get("blocked") else str(issue["status"]).replace("_", " ")
    labels = "".join(f" #{one_line(label, 32)}" for label in issue.get("labels", ()))
    about = f"P{issue['priority']} {issue['issue_type']}, {state}"
    return f"{one_line(issue['title'], 160)} · {about}{labels} · {issue['id']}"


def listed(issues: Sequence[Issue], nothing: str) -> str:
    return "\n".join(line(issue) for issue in issues) if issues else nothing


def found(issues: Sequence[Issue], *, query: str | None, status: str | None) -> str:
    """What a search or a list of issues came to."""
    if query is not None:
        return listed(issues, "No issue fits that.")
    return listed(issues, "There are no such issues." if status else "There are no open issues.")


def shown(issue: Issue) -> str:
    """One issue whole."""
    parts = [line(issue)]
    parts += [str(issue[name]) for name in ("description", "notes") if issue.get(name)]
    parts += [f"Closed: {one_line(issue['close_reason'], 300)}"] if issue.get("close_reason") else []
    parts += [_edge(edge) for edge in issue.get("dependencies", ())]
    return "\n".join(parts)


def _edge(edge: Mapping[str, Any]) -> str:
    verb = {"blocks": "Waits for", "parent-child": "Part of"}.get(edge["type"], f"{edge['type']}:")
    state = str(edge["status"]).replace("_", " ")
    return f"{verb} {one_line(edge['title'], 120)} ({state}) · {edge['depends_on_id']}"


def created(issue: Issue) -> str:
    about = f"{issue['issue_type']}, priority {issue['priority']}"
    return f"Filed: {quoted(issue['title'])}, {about}. ({issue['id']})"


def updated(issue: Issue, changed: Sequence[str], freed: Sequence[Issue]) -> str:
    what = f"Changed {listing(sorted(changed))} of {quoted(issue['title'])}"
    return f"{what}; it is {issue['status'].replace('_', ' ')}.{_freed(freed)} ({issue['id']})"


def closed(issue: Issue, freed: Sequence[Issue]) -> str:
    reason = one_line(issue.get("close_reason", ""), 200).rstrip(".")
    return (
        f"Closed: {quoted(issue['title'])}{': ' + reason if reason else ''}.{_freed(freed)} ({issue['id']})"
    )


def _freed(freed: Sequence[Issue]) -> str:
    if not freed:
        return ""
    names = [quoted(issue["title"]) for issue in freed[:3]]
    more = [f"{len(freed) - 3} more"] if len(freed) > 3 else []
    return f" Ready now: {listing(names + more)}."


def ready(issues: Sequence[Issue], doors: Mapping[str, int]) -> str:
    """What to work on, numbered, each with its reason."""
    if issues:
        numbered = [f"{number}. {_work(issue)}" for number, issue in enumerate(issues, 1)]
        return "\n".join(["Ready to be worked on, by priority and then age:", *numbered])
    waiting = [
        f"{_some(doors.get('in_progress', 0))} in progress",
        f"{_some(doors.get('blocked', 0))} blocked",
    ]
    return f"Nothing is ready to be worked on. {listing(waiting)}."


def _work(issue: Issue) -> str:
    return f"{one_line(issue['title'], 160)} · {issue['issue_type']} · {issue['reason']} · {issue['id']}"


def _some(count: int) -> str:
    return (
        "100 or more issues are"
        if count >= 100
        else f"{plural(count, 'issue')} {'is' if count == 1 else 'are'}"
    )
