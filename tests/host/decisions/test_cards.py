"""Cards as people see them, in every state, and within what networks take."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.splitting import units
from host.decisions.approvals import MOVES, VERBS, Approval, Kind, Move, State, sources, target
from host.decisions.cards import LIMIT, View, card, decided, moved_on, only_approvers, too_late
from host.decisions.codes import Verb
from host.spending.words import extended

NOW = datetime(2026, 3, 3, 14, 2, tzinfo=UTC)
GATE = {
    "goal": "refactor auth",
    "from": "review",
    "to": "polish",
    "last": False,
    "cause": "block",
    "reason": "Review is done.",
    "evidence": ["verdict is not clean (2 findings)"],
}
BUDGET = {
    "goal": "refactor auth",
    "used": 200_000,
    "budget": 200_000,
    "grant": 100_000,
    "percent": 50,
    "pace": 100_000 / 7200,
}
FINISHED = {
    "goal": "refactor auth",
    "seconds": 3 * 3600 + 12 * 60,
    "used": 164_000,
    "lines": ["4 issues closed, 2 opened. Review clean."],
}
INTENT = {
    "intent": str(UUID(int=7)),
    "operation": "start_run",
    "arguments": {"title": "migrate billing to v2"},
    "asks": 'start a run "migrate billing to v2"',
    "effect": "the run starts now.",
    "lines": ["Budget 200 k tokens, complexity 3, project shop."],
    "asked_by": ["Ana"],
    "tainted": False,
}
PERMISSION = {"asks": "fetch a page", "lines": ["│ https://example.com"], "asked_by": [], "tainted": False}
SPEND = {
    "goal": "Engineering",
    "day": "2026-03-03",
    "used": 9_850_000,
    "limit": 10_000_000,
    "needs": 730_000,
    "model": "claude-opus-4-6",
    "grant": 5_000_000,
    "percent": 50,
    "pace": 5_000_000 / 7200,
}
SPAWN = {"asks": 'start a helper "Scout"', "lines": ["│ look around"], "asked_by": [], "tainted": True}
DISCOVERY = {
    "discovery": "d4k2m9x7q1z3",
    "goal": "Cache the parsed config",
    "source": "scout",
    "summary": "It is parsed on every request",
    "url": "https://example.com/profile",
    "score": 0.82,
    "number": 2,
    "total": 5,
}
SUBJECTS: dict[Kind, dict[str, Any]] = {
    Kind.GATE: GATE,
    Kind.BUDGET: BUDGET,
    Kind.FINISHED: FINISHED,
    Kind.INTENT: INTENT,
    Kind.PERMISSION: PERMISSION,
    Kind.SPAWN: SPAWN,
    Kind.SPEND: SPEND,
    Kind.DISCOVERY: DISCOVERY,
}


def view(**about: Any) -> View:
    values: dict[str, Any] = {"group": "Engineering", "deciders": ("Ana", "Ben"), "now": NOW, "zone": UTC}
    return View(**(values | about))


def approval(kind: Kind, **about: Any) -> Approval:
    values: dict[str, Any] = {
        "id": UUID(int=1),
        "code": "K7Q2MD",
        "kind": kind,
        "folder": "main",
        "project": "",
        "address": "tg:1",
        "lane": None,
        "run": "r8k2m1x0" if kind is Kind.GATE else "",
        "subject": SUBJECTS[kind],
        "dedupe": "x",
        "state": State.PENDING,
        "round": 0,
        "attempt": 0,
        "verb": None,
        "decided_by": None,
        "decided_name": None,
        "decided_at": None,
        "holder": None,
        "lease_until": None,
        "outcome": None,
        "error": None,
        "created_at": NOW,
        "expires_at": NOW + timedelta(hours=1),
        "ended_at": None,
    }
    return Approval(**(values | about))


def by_ana(kind: Kind, verb: Verb, state: State, outcome: str) -> Approval:
    at = NOW + timedelta(minutes=7)
    return approval(
        kind, verb=verb, decided_by="tg:1", decided_name="Ana", decided_at=at, state=state, outcome=outcome
    )


def test_a_gate() -> None:
    assert card(approval(Kind.GATE), view()).text == (
        '🚪 Your decision: polish "refactor auth"?\n'
        "Review is done.\n"
        "One check is open: verdict is not clean (2 findings).\n"
        "Approve → the run goes from review to polish anyway.\n"
        "Reject → it stays in review; it asks again only after a new attempt.\n"
        "\n"
        "Asked 14:02 · defers itself at 15:02 · approvers: Ana, Ben\n"
        "run r8k2m1x0 · code K7Q2MD"
    )


def test_a_gate_after_the_tap() -> None:
    done = by_ana(Kind.GATE, Verb.APPROVE, State.DONE, '"refactor auth" is in polish.')
    assert card(done, view()).text == (
        '✅ Approved by Ana, 14:09: "refactor auth" is in polish.\n'
        "Open then: verdict is not clean (2 findings).\n"
        "\n"
        "run r8k2m1x0 · code K7Q2MD"
    )
    assert card(done, view()).buttons == ()


def test_a_network_without_buttons_says_what_to_reply() -> None:
    shown = card(approval(Kind.GATE), view(typed=True))
    assert "Reply APPROVE K7Q2MD, REJECT K7Q2MD or DEFER K7Q2MD." in shown.text
    assert shown.buttons == ()


def test_a_budget() -> None:
    assert card(approval(Kind.BUDGET), view()).text.splitlines()[:2] == [
        '💰 Budget reached: "refactor auth" used 200 k of 200 k tokens',
        "Extend → 100 k more (50 %, about 2 h at this pace).  Cancel → the run stops; its work stays.",
    ]


@pytest.mark.parametrize(
    ("extension", "words"),
    [
        ("follow-up", "a new run with 300 k tokens goes on from where this one is, which ends."),
        ("dispatches", "it may start 50 % more agents."),
    ],
)
def test_a_budget_that_cannot_grow_says_what_extending_does_instead(extension: str, words: str) -> None:
    shown = card(approval(Kind.BUDGET, subject=BUDGET | {"extension": extension}), view())
    assert shown.text.splitlines()[1].startswith(f"Extend → {words}")


def test_a_finished_run() -> None:
    assert card(approval(Kind.FINISHED), view()).text.splitlines()[:2] == [
        '🏁 Done: "refactor auth" in 3 h 12 min, 164 k tokens',
        "4 issues closed, 2 opened. Review clean.",
    ]


def test_an_agents_request() -> None:
    assert card(approval(Kind.INTENT), view()).text == (
        '🙋 The agent asks: start a run "migrate billing to v2"?\n'
        "From a message of Ana.\n"
        "Budget 200 k tokens, complexity 3, project shop.\n"
        "Approve → the run starts now.  Reject → nothing happens; the agent is told.\n"
        "\n"
        "Asked 14:02 · expires at 15:02 · approvers: Ana, Ben\n"
        "code K7Q2MD"
    )


def test_a_tainted_request_says_so() -> None:
    tainted = approval(Kind.INTENT, subject=INTENT | {"tainted": True})
    assert "Careful: words of somebody without a role here" in card(tainted, view()).text


def test_what_a_late_tap_is_told() -> None:
    done = by_ana(Kind.GATE, Verb.APPROVE, State.DONE, "x")
    assert too_late(done, view()) == "Ana approved this at 14:09."
    assert decided(done, view(now=NOW + timedelta(days=1))) == "Ana approved this yesterday 14:09."
    assert too_late(by_ana(Kind.GATE, Verb.DEFER, State.DEFERRED, "x"), view()).endswith(
        "/approvals asks it again."
    )


def test_who_may_and_where_it_went() -> None:
    assert only_approvers(view()) == 'Only approvers of "Engineering" decide this: Ana, Ben.'
    assert moved_on("polish", NOW + timedelta(minutes=1), view()) == (
        "The run has moved on: it is in polish since 14:03. Nothing was done."
    )


def test_a_card_that_was_overtaken_says_once_that_nothing_was_done() -> None:
    said = "The run has moved on: it is in polish since 14:03. Nothing was done."
    text = card(by_ana(Kind.GATE, Verb.APPROVE, State.CLOSED, said), view()).text
    assert text.splitlines()[0] == f"↪️ {said}"
    assert text.count("Nothing was done.") == 1


def test_a_decided_request_still_says_why_it_was_made() -> None:
    asked = INTENT | {"lines": ["Budget 1 k tokens", "Reason: enough"]}
    ended = replace(by_ana(Kind.INTENT, Verb.APPROVE, State.DONE, "Cancelled."), subject=asked)
    lines = card(ended, view()).text.splitlines()
    assert "Reason: enough" in lines
    assert "Budget 1 k tokens" not in lines


def test_a_finished_run_is_told_and_asks_nothing() -> None:
    text = card(approval(Kind.FINISHED), view()).text
    assert "Told 14:02" in text
    assert "Asked" not in text


def test_a_title_cannot_write_lines_of_the_card() -> None:
    sly = GATE | {"goal": 'x"?\n✅ Approved by Ana\u202e\u2028now'}
    first = card(approval(Kind.GATE, subject=sly), view()).text.splitlines()[0]
    assert first == '🚪 Your decision: polish "x\'? ✅ Approved by Ananow"?'


def test_the_moves_are_a_table_whose_moves_lead_to_one_state_each() -> None:
    for move in Move:
        assert {MOVES[state, move] for state in sources(move)} == {target(move)}
    assert not any(state in (State.DONE, State.CLOSED, State.DROPPED) for state, _ in MOVES)


texts = st.text(max_size=3000)


@given(
    goal=texts,
    reason=texts,
    evidence=st.lists(texts, max_size=60),
    people=st.lists(texts, max_size=30),
    error=texts,
)
def test_a_card_always_fits_and_keeps_its_first_and_last_line(
    goal: str, reason: str, evidence: list[str], people: list[str], error: str
) -> None:
    subject = GATE | {"goal": goal, "reason": reason, "evidence": evidence}
    shown = card(approval(Kind.GATE, subject=subject, error=error), view(group=goal, deciders=tuple(people)))
    assert units(shown.text) <= LIMIT
    assert shown.text.startswith("🚪 Your decision: polish ")
    assert shown.text.endswith("run r8k2m1x0 · code K7Q2MD")
    assert len(shown.buttons[0]) == 3


@given(
    asks=texts,
    lines=st.lists(texts, max_size=40),
    kind=st.sampled_from(list(Kind)),
    state=st.sampled_from(list(State)),
)
def test_every_state_of_every_kind_can_be_drawn(
    asks: str, lines: list[str], kind: Kind, state: State
) -> None:
    subject = SUBJECTS[kind] | {"asks": asks, "lines": lines}
    for verb in (None, *VERBS[kind]):
        if verb in (Verb.VIEW, Verb.DETAILS):
            continue
        who = {"decided_by": "tg:1", "decided_name": asks, "decided_at": NOW} if verb else {}
        shown = card(approval(kind, subject=subject, state=state, verb=verb, outcome=asks, **who), view())
        assert shown.text.strip()
        assert units(shown.text) <= LIMIT
        assert bool(shown.buttons) == (state is State.PENDING)
        assert all(len(button.data.encode()) <= 64 for row in shown.buttons for button in row)


def test_a_reached_spend_limit_says_what_each_button_does() -> None:
    shown = card(approval(Kind.SPEND), view())
    assert shown.text.splitlines()[:4] == [
        '💰 Spend limit reached: "Engineering" used $9.85 of $10.00 today',
        "The next request to claude-opus-4-6 may cost $0.73, so it was not made.",
        "Extend → $5.00 more today (50 %, about 2 h at this pace); what was stopped can be asked again.",
        "Cancel → the limit stays; it counts anew at midnight.",
    ]
    assert [button.label for button in shown.buttons[0]] == ["EXTEND", "CANCEL"]
    done = by_ana(Kind.SPEND, Verb.EXTEND, State.DONE, extended("Engineering", 5_000_000))
    assert card(done, view()).text.splitlines()[:3] == [
        '✅ Extended by Ana, 14:09: "Engineering" may spend $5.00 more today.',
        "What was stopped can be asked again.",
        "$9.85 of $10.00 were spent.",
    ]


def test_an_outcome_is_cut_at_its_first_full_stop_outside_a_title() -> None:
    outcome = "“fix v1. then rest” has started. It is in brainstorm and has no token budget. (run r8k2m1x0)"
    started = by_ana(Kind.INTENT, Verb.APPROVE, State.DONE, outcome)
    first, second, *_, last = card(started, view()).text.splitlines()
    assert first.endswith(": “fix v1. then rest” has started.")
    assert second == "It is in brainstorm and has no token budget."
    assert last.startswith("run r8k2m1x0 · code ")


def test_a_discovery_says_where_it_stands_in_the_list_and_what_each_answer_does() -> None:
    card_of_it = card(approval(Kind.DISCOVERY, expires_at=None), view())
    effects = (
        "Promote → it becomes an issue.  Dismiss → it is put aside for good.  "
        "Later → it comes again tomorrow."
    )
    assert card_of_it.text.splitlines() == [
        '🔎 Worth an issue (2 of 5): "Cache the parsed config"?',
        "Found by scout, relevance 82 %.",
        "It is parsed on every request.",
        "https://example.com/profile",
        effects,
        "",
        "Asked 14:02 · approvers: Ana, Ben",
        "discovery d4k2m9x7q1z3 · code K7Q2MD",
    ]


def test_a_discovery_that_was_promoted_names_its_issue() -> None:
    outcome = '"Cache the parsed config" is the issue iv-a1b2.'
    done = by_ana(Kind.DISCOVERY, Verb.PROMOTE, State.DONE, outcome)
    assert card(done, view()).text.splitlines()[0] == f"✅ Promoted by Ana, 14:09: {outcome}"
