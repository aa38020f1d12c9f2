"""The operations table: what can be called, how, and what is said when a call does not fit."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarch.calls import parse
from demarch.declarations import declarations
from demarch.effects import effect
from demarch.errors import InvalidCall
from demarch.kernel import Run
from demarch.operations import OPERATIONS, Access, Tier
from tests.clock import START

AUTO_WRITES = {"create_issue", "update_issue", "close_issue", "register_finding"}


def test_reads_and_harmless_writes_run_at_once_and_everything_else_waits_for_a_person() -> None:
    confirmed = {name for name, operation in OPERATIONS.items() if operation.tier is Tier.CONFIRM}
    writes = {name for name, operation in OPERATIONS.items() if operation.access is Access.WRITE}
    assert confirmed == writes - AUTO_WRITES
    assert confirmed == {
        "start_run",
        "approve_gate",
        "reject_gate",
        "defer_gate",
        "advance_phase",
        "pause_run",
        "resume_run",
        "cancel_run",
        "extend_budget",
        "promote_discovery",
        "dismiss_discovery",
    }
    assert len(OPERATIONS) == 26


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("run_status", {"runId": "r8k2m1x0"}, {"run_id": "r8k2m1x0"}),
        ("demarch_run_status", {"run_id": "r8k2m1x0"}, {"run_id": "r8k2m1x0"}),
        ("spec_lookup", {"artifactId": "a1"}, {"artifact_id": "a1"}),
        ("create_issue", {"title": "x", "issueType": "bug"}, {"issue_type": "bug"}),
        ("create_issue", {"title": "x", "priority": "P2"}, {"priority": 2}),
        ("create_issue", {"title": "x", "priority": "0"}, {"priority": 0}),
        ("create_issue", {"title": "x", "priority": 4}, {"priority": 4}),
        ("create_issue", {"title": "x", "priority": "critical"}, {"priority": 0}),
        ("create_issue", {"title": "x", "labels": "a, b"}, {"labels": ("a", "b")}),
        ("create_issue", {"title": "one\ntwo\x00\u202ethree"}, {"title": "one twothree"}),
        ("create_issue", {"title": "x", "description": None}, {"description": ""}),
        ("approve_gate", {"gateId": "r8:review:polish"}, {"run_id": "r8", "from_phase": "review"}),
        ("approve_gate", {"gate_id": "r8"}, {"run_id": "r8", "from_phase": None}),
        (
            "start_run",
            {"goal": "migrate", "tokenBudget": "200000"},
            {"title": "migrate", "token_budget": 200000},
        ),
        ("run_events", {"limit": "5"}, {"limit": 5}),
    ],
)
def test_both_spellings_and_the_words_callers_use_fit(
    name: str, arguments: dict[str, Any], expected: dict[str, Any]
) -> None:
    params = parse(name, arguments).params.model_dump()
    assert {key: params[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("creat_issue", {}, "There is no operation “creat_issue”. Did you mean create_issue"),
        ("create_issue", {}, "create_issue needs a title."),
        ("close_issue", {}, "close_issue needs an id."),
        ("create_issue", {"title": " \n "}, "create_issue: title must not be empty."),
        ("create_issue", {"title": "x" * 501}, "create_issue: title has more than 500 characters."),
        ("create_issue", {"title": "\ud800"}, "is not valid text"),
        ("create_issue", {"title": 5}, "create_issue: title must be text."),
        ("create_issue", {"title": "x", "description": "ä" * 33_000}, "description is larger than 64 KB"),
        ("create_issue", {"title": "x", "labels": ["l"] * 21}, "labels has more than 20 entries"),
        ("create_issue", {"title": "x", "labels": ["l" * 65]}, "labels has more than 64 characters"),
        ("create_issue", {"title": "x", "labels": {"a": 1}}, "labels must be a list"),
        (
            "create_issue",
            {"title": "x", "priority": 5},
            "priority is a number from 0 (critical) to 4 (backlog)",
        ),
        ("create_issue", {"title": "x", "priority": True}, "priority is a number from 0"),
        (
            "create_issue",
            {"title": "x", "colour": "red"},
            "has no parameter “colour”; it takes title, description",
        ),
        ("sprint_phase", {"x": 1}, "sprint_phase has no parameter “x”; it takes none."),
        ("search_beads", {"status": "nope"}, "status is one of 'open', 'in_progress'"),
        ("run_status", {"run_id": "../../etc"}, "run_id is not a valid name or id"),
        ("run_status", {"run_id": "a", "runId": "b"}, "was given run_id twice"),
        ("run_events", {"limit": 101}, "limit must be at most 100"),
        ("run_events", {"limit": 0}, "limit must be at least 1"),
        ("run_events", {"since": "lately"}, "since is neither a time nor a span such as 2h"),
        ("run_events", {"since": "2026-01-01T00:00:00"}, "since needs a time zone"),
        ("update_issue", {"id": "iv-1"}, "update_issue needs at least one thing to change."),
        ("approve_gate", {"gate_id": "r8:review:polish", "from_phase": "plan"}, "names two different gates"),
        ("extend_budget", {"run_id": "r", "tokens": 1, "percent": 5}, "takes tokens or percent, not both"),
        ("extend_budget", {"run_id": "r", "tokens": 0}, "tokens must be more than 0"),
        ("register_finding", {"title": "x", "score": 2}, "score must be at most 1"),
    ],
)
def test_a_call_that_does_not_fit_is_refused_with_one_sentence(
    name: str, arguments: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidCall) as refusal:
        parse(name, arguments)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


@given(
    st.sampled_from([*OPERATIONS, "nonsense", ""]),
    st.dictionaries(
        st.sampled_from(["title", "id", "runId", "gate_id", "limit", "since", "labels", "priority", "x y"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()),
    ),
)
def test_whatever_arrives_is_a_call_or_a_refusal(name: str, arguments: dict[str, Any]) -> None:
    with suppress(InvalidCall):
        assert effect(parse(name, arguments))


def test_declarations_are_compact_schemas_in_snake_case() -> None:
    declared = {tool.name: tool.input_schema for tool in declarations()}
    assert set(declared) == {f"demarch_{name}" for name in OPERATIONS}
    text = json.dumps(declared)
    assert "$defs" not in text
    assert "anyOf" not in text
    assert '"title": "' not in text
    create = declared["demarch_create_issue"]
    assert create["required"] == ["title"]
    assert create["additionalProperties"] is False
    assert create["properties"]["title"] == {"type": "string", "minLength": 1, "maxLength": 500}
    assert declared["demarch_run_status"]["properties"]["run_id"]["type"] == "string"
    assert declarations() is declarations()


RUN = Run(
    id="r8k2m1x0",
    goal="refactor auth",
    status="active",
    phase="review",
    phases=("review", "polish"),
    created_at=START,
    updated_at=START,
    budget=200_000,
)


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        (
            "start_run",
            {"title": "migrate billing", "token_budget": 200_000},
            "The run “migrate billing” starts now, with 200 k tokens, complexity 3.",
        ),
        (
            "approve_gate",
            {"gate_id": "r8k2m1x0:review:polish"},
            "The run “refactor auth” goes from review to polish anyway.",
        ),
        (
            "approve_gate",
            {"gate_id": "r8k2m1x0:review:polish", "cause": "pause"},
            "The run “refactor auth” goes from review to polish.",
        ),
        (
            "reject_gate",
            {"run_id": "r8k2m1x0"},
            "The run “refactor auth” stays in review, and the refusal is on record.",
        ),
        (
            "extend_budget",
            {"run_id": "r8k2m1x0"},
            "The run “refactor auth” gets 50 % more tokens (100 k more).",
        ),
        ("cancel_run", {"run_id": "r8k2m1x0"}, "The run “refactor auth” stops for good; its work stays."),
    ],
)
def test_a_card_says_what_will_happen(name: str, arguments: dict[str, Any], sentence: str) -> None:
    assert effect(parse(name, arguments), RUN) == sentence
