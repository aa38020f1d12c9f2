"""Gates as pure rules."""

import json
from itertools import pairwise
from typing import Any

import pytest

from demarch.errors import InvalidCall
from demarch.gates import DEFAULT_RULES, Facts, Tier, evaluate, evidence_words, rules_from, tier_of
from demarch.phases import DEFAULT_PHASES, chain_of, next_phase


@pytest.mark.parametrize(
    ("transition", "facts", "open_checks"),
    [
        (("brainstorm", "brainstorm-reviewed"), Facts(), ("no artifact for brainstorm",)),
        (("brainstorm", "brainstorm-reviewed"), Facts(artifacts={"brainstorm": 1}), ()),
        (("planned", "executing"), Facts(artifacts={"brainstorm": 1}), ("no artifact for planned",)),
        (("executing", "review"), Facts(active_agents=2), ("2 agents still at work",)),
        (("executing", "review"), Facts(), ()),
        (("review", "polish"), Facts(), ("no review verdict yet",)),
        (("review", "polish"), Facts(verdicts=1, unclean=1, findings=2), ()),
        (("polish", "reflect"), Facts(), ()),
        (("reflect", "done"), Facts(), ("no artifact for reflect",)),
        (
            ("polish", "reflect"),
            Facts(budget=10, used=10, enforce_budget=True),
            ("the token budget is used up",),
        ),
        (("polish", "reflect"), Facts(budget=10, used=10), ()),
        (("polish", "reflect"), Facts(held="security has to look"), ("security has to look",)),
    ],
)
def test_default_rules(transition: tuple[str, str], facts: Facts, open_checks: tuple[str, ...]) -> None:
    gate = evaluate(transition, Tier.HARD, facts)
    assert gate.open_checks == open_checks
    assert gate.blocks == bool(open_checks)
    assert evidence_words(json.loads(gate.evidence())) == open_checks


def test_a_run_may_have_rules_of_its_own() -> None:
    own = rules_from(
        {"review->polish": ["verdict_clean"], "a → b": [{"check": "artifact_exists", "phase": "x"}]}
    )
    gate = evaluate(("review", "polish"), Tier.HARD, Facts(verdicts=3, unclean=1, findings=2), own)
    assert gate.source == "per-run"
    assert gate.open_checks == ("verdict is not clean (2 findings)",)
    assert evaluate(("a", "b"), Tier.HARD, Facts(artifacts={"x": 1}), own).result == "pass"


@pytest.mark.parametrize(
    "gates", [[], {"review": ["verdict_clean"]}, {"a->b": ["magic"]}, {"a->b": 5}, {"a->b": "x"}, {"->b": []}]
)
def test_wrong_rules_are_refused(gates: Any) -> None:
    with pytest.raises(InvalidCall):
        rules_from(gates)


def test_priority_decides_how_hard_a_gate_is_but_not_a_hold() -> None:
    assert [tier_of(priority).value for priority in range(6)] == [
        "hard",
        "hard",
        "soft",
        "soft",
        "none",
        "none",
    ]
    transition = ("review", "polish")
    assert not evaluate(transition, Tier.SOFT, Facts()).blocks
    assert evaluate(transition, Tier.SOFT, Facts()).result == "fail"
    assert evaluate(transition, Tier.NONE, Facts()).result == "none"
    assert evaluate(transition, Tier.NONE, Facts(held="wait")).blocks


def test_the_default_rules_follow_the_default_chain() -> None:
    steps = list(pairwise(DEFAULT_PHASES))
    assert set(DEFAULT_RULES) == {step for step in steps if step != ("polish", "reflect")}


@pytest.mark.parametrize("phases", [[], ["a"], ["a", "a"], ["a", "b c"], ["a", "b\n"]])
def test_a_chain_needs_two_different_plainly_named_phases(phases: list[str]) -> None:
    with pytest.raises(InvalidCall):
        chain_of(phases)


def test_skipped_phases_are_walked_past_but_the_last_one_never() -> None:
    assert next_phase(("a", "b", "c"), "a", ("b",)) == "c"
    assert next_phase(("a", "b", "c"), "b", ("c",)) == "c"
    assert next_phase(("a", "b", "c"), "c") is None


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        ({}, ()),
        ({"conditions": "nonsense"}, ()),
        (
            {"conditions": [{"check": "verdict_clean", "result": "fail", "count": 2}]},
            ("verdict is not clean (2 findings)",),
        ),
        ({"conditions": [{"check": "new_check", "result": "fail", "detail": "a\nb"}]}, ("a b",)),
        ({"conditions": [{"check": "new_check", "result": "fail"}]}, ("new_check",)),
        ({"conditions": [{"result": "fail"}, 7, None]}, ("a check is open",)),
    ],
)
def test_evidence_of_any_kernel_becomes_words(evidence: dict[str, Any], words: tuple[str, ...]) -> None:
    assert evidence_words(evidence) == words
