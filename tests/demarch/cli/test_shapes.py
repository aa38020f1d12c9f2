"""Whatever stands in the fields that binaries print, it gets the shape of ours, and can be written out."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from demarch.cli.history import place
from demarch.cli.issues import issue_data
from demarch.cli.parsing import objects
from demarch.cli.research import discovery_data, discovery_of
from demarch.cli.reviews import verdict_data
from demarch.cli.runs import chain, run_data, run_of
from demarch.cli.standing import gate_of
from demarch.telling import findings as tell_findings
from demarch.telling import issues as tell_issues
from demarch.telling import runs as tell_runs
from tests.clock import START
from tests.demarch.cli.binaries import run

_odd = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2), st.just("2026-01-05T08:00:00Z"),
    st.just([{"id": None, "check": 5, "result": []}, 7]), st.just({"conditions": [{"count": "x"}]}),
)  # fmt: skip


def rows(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, _odd))


def printed(data: dict[str, Any]) -> dict[str, Any]:
    """As it comes out of the reader."""
    found = objects(json.dumps([data]))
    return found[0] if found else {}


@given(rows(*run(), "phases", "metadata", "children", "token_budget", "budget_warn_pct", "max_dispatches"))
def test_any_run_is_a_run(odd: dict[str, Any]) -> None:
    data = printed(run() | odd)
    found = run_of(data, {"used": odd.get("goal")})
    assert found.phase in chain(data) or not found.phase
    assert len(found.phases) >= 1
    assert found.budget is None or isinstance(found.budget, int)
    assert "\n" not in tell_runs.line(found)
    json.dumps(run_data(data, 5), allow_nan=False)


@given(rows("event_type", "from_phase", "to_phase", "created_at", "id"), rows("phase", "auto_advance"))
def test_any_history_has_a_place(event: dict[str, Any], odd: dict[str, Any]) -> None:
    where = place(printed(run() | odd), [printed(event | {"id": 1}), {"event_type": "block"}])
    assert where.waiting in {None, "pause", "block"}


@given(rows("from_phase", "to_phase", "result", "tier", "source", "evidence"))
def test_any_gate_is_a_gate(odd: dict[str, Any]) -> None:
    gate = gate_of(printed(odd))
    assert "\n" not in tell_runs.checked(gate)
    json.dumps(gate.data("abcd1234"))


@given(
    rows("id", "title", "status", "priority", "issue_type", "labels", "dependencies", "created_at", "notes")
)
def test_any_issue_is_an_issue(odd: dict[str, Any]) -> None:
    issue = issue_data(printed(odd))
    assert "\n" not in tell_issues.line(issue)
    assert tell_issues.shown(issue)
    json.dumps(issue)


@given(
    rows("id", "title", "source", "relevance_score", "status", "bead_id", "discovered_at", "summary", "url")
)
def test_any_discovery_is_a_discovery(odd: dict[str, Any]) -> None:
    data = printed(odd)
    assert 0 <= discovery_of(data).score <= 1
    assert "\n" not in tell_findings.discovery(discovery_data(data))
    json.dumps(discovery_data(data))


@given(
    rows(
        "verdict", "status", "summary", "findings", "findings_count", "run_id", "phase", "agent", "timestamp"
    )
)
def test_any_verdict_is_a_verdict(odd: dict[str, Any]) -> None:
    data = verdict_data(printed(odd), "docs/x-verdict.json", 1767600000.0)
    assert data["verdict"]
    assert "\n" not in tell_findings.verdict(data, START)
    json.dumps(data)
