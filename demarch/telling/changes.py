"""What changed, in words: runs first, then issues and discoveries, each on a line of its own."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from demarch.phrases import ago, listing, one_line, plural, quoted

_SHOWN = 5  #: titles on one line
_RUNS = 12

Data = Mapping[str, Any]


def changed(data: Data) -> str:
    since = datetime.fromtimestamp(data["since"], UTC)
    when = f"{since:%Y-%m-%d %H:%M} UTC ({ago(datetime.fromtimestamp(data['until'], UTC), since)})"
    lines = [*_runs(data["runs"]), *_issues(data["issues"]), *_discoveries(data["discoveries"])]
    heading = f"Since {when}:" if lines else f"Nothing has changed since {when}."
    cut = ["There was more; run_events shows single events."] if data["cut"] else []
    return "\n".join([heading, *lines, *cut, *data["missing"]])


def _runs(runs: Sequence[Data]) -> list[str]:
    lines = [_run(run) for run in runs[:_RUNS]]
    return [*lines, f"… and {plural(len(runs) - _RUNS, 'more run')}"] if len(runs) > _RUNS else lines


def _run(run: Data) -> str:
    now = f"now in {run['phase']}" if run["status"] == "active" else f"now {run['status']}"
    what = listing([one_line(words, 300) for words in run["what"]]) or "had new settings"
    return f"Run {quoted(run['goal'])} {what}; {now}. ({run['id']})"


def _issues(issues: Data) -> list[str]:
    names = {"opened": "opened", "closed": "closed", "changed": "changed"}
    return [_line("issue", "issues", word, issues[kind]) for kind, word in names.items() if issues[kind]]


def _discoveries(found: Data) -> list[str]:
    names = {"found": "registered", "promoted": "made an issue", "dismissed": "dismissed"}
    return [
        _line("discovery", "discoveries", word, found[kind]) for kind, word in names.items() if found[kind]
    ]


def _line(one: str, many: str, word: str, items: Sequence[Data]) -> str:
    titles = [f"{quoted(item['title'])} ({item['id']})" for item in items[:_SHOWN]]
    more = [f"{len(items) - _SHOWN} more"] if len(items) > _SHOWN else []
    return f"{plural(len(items), one, many).capitalize()} {word}: {listing(titles + more)}."
