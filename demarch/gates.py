"""Gates: which checks stand between two phases, how they come out, and the same in words. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from demarch.errors import InvalidCall
from demarch.phrases import one_line, plural

Rules = Mapping[tuple[str, str], Sequence["Rule"]]

_SEPARATORS = ("->", "→", ":")
_RULE_TIERS = ("hard", "soft")


class Tier(StrEnum):
    HARD = "hard"  #: a failure keeps the run where it is
    SOFT = "soft"  #: a failure is recorded, the run goes on
    NONE = "none"  #: nothing is checked


@dataclass(frozen=True, slots=True)
class Rule:
    """One check; `phase` says whose artifacts count, `tier` how hard it is whatever the priority says."""

    check: str
    phase: str = ""
    tier: Tier | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the checks look at."""

    artifacts: Mapping[str, int] = field(default_factory=dict)
    active_agents: int = 0
    verdicts: int = 0
    unclean: int = 0
    findings: int = 0
    used: int = 0
    budget: int | None = None
    enforce_budget: bool = False
    held: str | None = None
    portfolio: bool = False
    #: the runs of a portfolio that are not over: `phase` and `phases` of each
    children: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GateCheck:
    """How the gate between two phases stands."""

    from_phase: str
    to_phase: str
    result: str  #: pass, fail, none
    tier: Tier
    source: str = "default"
    conditions: tuple[Mapping[str, Any], ...] = ()

    @property
    def blocks(self) -> bool:
        return self.result == "fail" and self.tier is Tier.HARD

    @property
    def open_checks(self) -> tuple[str, ...]:
        return evidence_words({"conditions": self.conditions})

    def evidence(self) -> str:
        """The conditions as the kernel's log stores them."""
        return json.dumps({"conditions": list(self.conditions)}, ensure_ascii=False, separators=(",", ":"))

    def data(self, run_id: str) -> dict[str, Any]:
        """What `ic gate check` prints."""
        return {
            "run_id": run_id,
            "from_phase": self.from_phase,
            "to_phase": self.to_phase,
            "result": self.result,
            "tier": self.tier.value,
            "source": self.source,
            "evidence": {"conditions": [dict(condition) for condition in self.conditions]},
        }


DEFAULT_RULES: Rules = {
    ("brainstorm", "brainstorm-reviewed"): (Rule("artifact_exists", "brainstorm"),),
    ("brainstorm-reviewed", "strategized"): (Rule("artifact_exists", "brainstorm-reviewed"),),
    ("strategized", "planned"): (Rule("artifact_exists", "strategized"),),
    ("planned", "executing"): (Rule("artifact_exists", "planned"),),
    ("executing", "review"): (Rule("agents_complete"),),
    ("review", "polish"): (Rule("verdict_exists"),),
    ("reflect", "done"): (Rule("artifact_exists", "reflect"),),
}


def tier_of(priority: int) -> Tier:
    """0 and 1 hard, 2 and 3 soft, from 4 none."""
    return Tier.HARD if priority <= 1 else Tier.SOFT if priority <= 3 else Tier.NONE


def rules_from(gates: object) -> Rules:
    """A run's own rules, written {"review->polish": ["verdict_clean", {"check": …, "phase": …}]}."""
    if not isinstance(gates, Mapping):
        raise InvalidCall('Gate rules are an object such as {"review->polish": ["verdict_clean"]}.')
    return {_transition(str(way)): _rules(rules) for way, rules in gates.items()}


def _transition(written: str) -> tuple[str, str]:
    for separator in _SEPARATORS:
        before, found, after = written.partition(separator)
        if found and before.strip() and after.strip():
            return before.strip(), after.strip()
    raise InvalidCall(f"“{one_line(written, 60)}” is no transition; write it as review->polish.")


def _rules(written: object) -> tuple[Rule, ...]:
    if not isinstance(written, (list, tuple)):
        raise InvalidCall('The checks of a gate are a list, such as ["verdict_clean"].')
    return tuple(_rule(rule) for rule in written)


def _rule(written: object) -> Rule:
    rule = written if isinstance(written, Mapping) else {"check": written}
    check = str(rule.get("check", ""))
    if check not in _OWN_CHECKS:
        raise InvalidCall(f"There is no check “{one_line(check, 60)}”; there are {', '.join(_OWN_CHECKS)}.")
    tier = str(rule.get("tier") or "")
    if tier not in {"", *_RULE_TIERS}:
        raise InvalidCall(f"A check is {' or '.join(_RULE_TIERS)}, not “{one_line(tier, 60)}”.")
    return Rule(check, str(rule.get("phase", "")), Tier(tier) if tier else None)


def evaluate(transition: tuple[str, str], tier: Tier, facts: Facts, own: Rules | None = None) -> GateCheck:
    """Run all checks of a transition; rules of the run itself stand in for the default ones."""
    rules = (own or {}).get(transition)
    source = "default" if rules is None else "per-run"
    rules = [*(DEFAULT_RULES.get(transition, ()) if rules is None else rules), *_always(transition, facts)]
    if tier is Tier.NONE and facts.held is None:
        return GateCheck(
            from_phase=transition[0], to_phase=transition[1], result="none", tier=tier, source=source
        )
    conditions = [_CHECKS[rule.check](rule, facts, transition[0]) for rule in rules]
    failed = any(condition["result"] == "fail" for condition in conditions)
    return GateCheck(
        from_phase=transition[0],
        to_phase=transition[1],
        result="fail" if failed else "pass",
        # One check that is hard makes the gate hard; no priority softens it.
        tier=Tier.HARD if any(rule.tier is Tier.HARD for rule in rules) else tier,
        source=source,
        conditions=tuple(conditions),
    )


def _always(transition: tuple[str, str], facts: Facts) -> Sequence[Rule]:
    """What is checked whatever the rules of the transition are."""
    rules = []
    if facts.portfolio:
        rules.append(Rule("children_at_phase", transition[1]))
    if facts.enforce_budget and facts.budget:
        rules.append(Rule("budget_not_exceeded"))
    if facts.held is not None:  # what a person closed by hand, only a person opens
        rules.append(Rule("held", tier=Tier.HARD))
    return rules


def _condition(rule: Rule, passed: bool, count: int, detail: str, phase: str = "") -> Mapping[str, Any]:
    condition: dict[str, Any] = {"check": rule.check, "result": "pass" if passed else "fail", "count": count}
    if phase:
        condition["phase"] = phase
    if not passed:
        condition["detail"] = detail
    return condition


def _artifact(rule: Rule, facts: Facts, here: str) -> Mapping[str, Any]:
    phase = rule.phase or here
    count = facts.artifacts.get(phase, 0)
    return _condition(rule, count > 0, count, f"no artifact for {phase}", phase)


def _agents(rule: Rule, facts: Facts, here: str) -> Mapping[str, Any]:
    count = facts.active_agents
    return _condition(rule, count == 0, count, f"{plural(count, 'agent')} still at work")


def _verdict(rule: Rule, facts: Facts, here: str) -> Mapping[str, Any]:
    return _condition(rule, facts.verdicts > 0, facts.verdicts, "no review verdict yet")


def _clean(rule: Rule, facts: Facts, here: str) -> Mapping[str, Any]:
    if not facts.verdicts:
        return _condition(rule, False, 0, "no review verdict yet")
    detail = f"verdict is not clean ({plural(facts.findings, 'finding')})"
    return _condition(rule, facts.unclean == 0, facts.findings, detail)


def _budget(rule: Rule, facts: Facts, here: str) -> Mapping[str, Any]:
    passed = not facts.budget or facts.used < facts.budget
    return _condition(rule, passed, facts.used, f"{facts.used} of {facts.budget or 0} tokens are used")


def _children(rule: Rule, facts: Facts, here: str) -> Mapping[str, Any]:
    phase = rule.phase or here
    count = sum(_is_behind(child, phase) for child in facts.children)
    return _condition(rule, count == 0, count, f"{plural(count, 'child run')} behind {phase}", phase)


def _is_behind(child: Mapping[str, Any], phase: str) -> bool:
    chain = child["phases"]
    return phase in chain and chain.index(child["phase"]) < chain.index(phase)


def _held(rule: Rule, facts: Facts, here: str) -> Mapping[str, Any]:
    return {"check": rule.check, "result": "fail", "detail": facts.held or ""}


_CHECKS = {
    "artifact_exists": _artifact,
    "agents_complete": _agents,
    "verdict_exists": _verdict,
    "verdict_clean": _clean,
    "budget_not_exceeded": _budget,
    "children_at_phase": _children,
    "held": _held,
}
#: what a run's own rules may ask for
_OWN_CHECKS = tuple(check for check in _CHECKS if check != "held")


def evidence_words(evidence: Mapping[str, Any]) -> tuple[str, ...]:
    """One line per check that is open, whichever kernel wrote the evidence."""
    conditions = evidence.get("conditions")
    if not isinstance(conditions, (list, tuple)):
        return ()
    failed = (c for c in conditions if isinstance(c, Mapping) and c.get("result") not in {"pass", "none"})
    return tuple(_words(condition) for condition in failed)


def _words(condition: Mapping[str, Any]) -> str:
    check = str(condition.get("check", ""))
    phase = one_line(str(condition.get("phase") or ""), 64)
    count = condition.get("count")
    number = count if isinstance(count, int) else 0
    plain = {
        "artifact_exists": f"no artifact for {phase or 'this phase'}",
        "agents_complete": f"{plural(number, 'agent')} still at work" if number else "agents still at work",
        "verdict_exists": "no review verdict yet",
        "verdict_clean": f"verdict is not clean ({plural(number, 'finding')})"
        if number
        else "verdict is not clean",
        "children_at_phase": f"child runs have not reached {phase or 'the phase'}",
        "upstreams_at_phase": f"runs it depends on have not reached {phase or 'the phase'}",
        "budget_not_exceeded": "the token budget is used up",
        "runtime_evidence": "no evidence that it runs",
    }
    detail = one_line(str(condition.get("detail") or ""), 200)
    return plain.get(check) or detail or one_line(check, 64) or "a check is open"
