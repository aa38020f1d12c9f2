"""What each kernel event means to people, row by row."""

import json
from dataclasses import replace
from typing import Any

import pytest

from demarch.kernel import KernelEvent, Run
from demarch.notices import NoticeKind, derive
from tests.clock import START

RUN = Run(
    id="r8k2m1x0",
    goal="refactor auth",
    status="active",
    phase="review",
    phases=("planned", "review", "polish", "shipped"),
    created_at=START,
    updated_at=START,
)
EVIDENCE = json.dumps({"conditions": [{"check": "verdict_clean", "result": "fail", "count": 2}]})
PENDING, RESOLVED, CHANGED = NoticeKind.GATE_PENDING, NoticeKind.GATE_RESOLVED, NoticeKind.PHASE_CHANGED


def event(type_: str, **about: Any) -> KernelEvent:
    base = KernelEvent(
        id=1,
        source="phase",
        type=type_,
        run_id=RUN.id,
        from_state="review",
        to_state="polish",
        timestamp=START,
    )
    return replace(base, **about)


@pytest.mark.parametrize(
    ("happened", "kinds"),
    [
        (event("block"), [PENDING]),
        (event("pause"), [PENDING]),
        (event("advance"), [RESOLVED, CHANGED]),
        (event("override"), [RESOLVED, CHANGED]),
        (event("rollback", to_state="planned"), [RESOLVED, CHANGED]),
        (event("advance", to_state="shipped"), [RESOLVED, NoticeKind.RUN_COMPLETED]),
        (event("override", to_state="shipped"), [RESOLVED, NoticeKind.RUN_COMPLETED]),
        (event("skip"), [RESOLVED]),
        (event("skip", to_state="review"), [RESOLVED, CHANGED]),
        (event("cancel"), [RESOLVED, NoticeKind.RUN_CANCELLED]),
        (event("budget.warning", from_state="", to_state=""), [NoticeKind.BUDGET_WARNING]),
        (event("budget.exceeded", from_state="", to_state=""), [NoticeKind.BUDGET_EXCEEDED]),
        (event("gate.rejected", source="interspect"), [RESOLVED]),
        (event("gate.deferred", source="interspect"), []),
        (event("disagreement_resolved", source="review"), [NoticeKind.REVIEW_RESOLVED]),
        (event("set"), []),
        (event("something.new"), []),
        (event("advance", source="from.the.future"), []),
        (event("status_change", source="dispatch"), []),
    ],
)
def test_events_become_notices(happened: KernelEvent, kinds: list[NoticeKind]) -> None:
    assert [notice.kind for notice in derive(happened, RUN)] == kinds


@pytest.mark.parametrize(
    ("reason", "words", "evidence"),
    [
        ("", "", ()),
        ("auto_advance disabled", "auto_advance disabled", ()),
        (EVIDENCE, "", ("verdict is not clean (2 findings)",)),
        (f"the desk said so | {EVIDENCE}", "the desk said so", ("verdict is not clean (2 findings)",)),
        ('{"override_category":"justified","reason":"Ana: fine"}', "Ana: fine", ()),
        ('{"broken', '{"broken', ()),
        ("a | b", "a | b", ()),
        ("two\nlines\x1b[31m", "two lines[31m", ()),
        ("[" * 5000, "[" * 299 + "…", ()),
    ],
)
def test_reasons_become_a_line_and_open_checks(reason: str, words: str, evidence: tuple[str, ...]) -> None:
    (notice,) = derive(event("block", reason=reason), RUN)
    assert (notice.reason, notice.evidence) == (words, evidence)


def test_a_pending_gate_says_what_stopped_the_run_and_who_tried() -> None:
    (blocked,) = derive(event("block", envelope={"actor": "ana", "key": "k1"}), RUN)
    (paused,) = derive(event("pause"), RUN)
    assert (blocked.cause, paused.cause) == ("block", "pause")
    assert (blocked.from_phase, blocked.to_phase) == ("review", "polish")
    assert blocked.data == {"actor": "ana", "key": "k1"}


def test_a_resolved_gate_says_how() -> None:
    how = [
        derive(event(type_), RUN)[0].data["how"] for type_ in ("advance", "override", "rollback", "cancel")
    ]
    assert how == ["advance", "override", "rollback", "cancel"]


@pytest.mark.parametrize(
    ("finding", "resolution", "words"),
    [
        ("SEC-3", "accepted", "accepted (finding SEC-3)"),
        ("", "discarded", "discarded"),
        ("SEC-3", "", "SEC-3"),
    ],
)
def test_a_resolved_disagreement_says_about_what_and_how(finding: str, resolution: str, words: str) -> None:
    happened = event(
        "disagreement_resolved",
        source="review",
        from_state=finding,
        to_state=resolution,
        reason='{"a":"P0"}',
    )
    (notice,) = derive(happened, RUN)
    assert (notice.reason, notice.from_phase, notice.to_phase) == (words, "", "")
