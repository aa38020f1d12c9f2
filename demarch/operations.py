"""The operations table: everything an agent or a person may ask of Demarch, with its parameters and tier."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from pydantic import BaseModel

from demarch import parameters as takes


class Access(StrEnum):
    READ = "read"
    WRITE = "write"


class Tier(StrEnum):
    AUTO = "auto"  #: executed at once
    CONFIRM = "confirm"  #: waits for a person


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One row of the table."""

    name: str  #: the MCP tool is `demarch_<name>`
    summary: str  #: one sentence for whoever chooses a tool
    params: type[BaseModel]
    access: Access
    tier: Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An operation with parameters that fit it."""

    operation: Operation
    params: BaseModel


_ROWS: tuple[tuple[str, Access, Tier, type[BaseModel], str], ...] = (
    ("run_status", Access.READ, Tier.AUTO, takes.RunStatus,
     "How a run is doing: phase, budget, what it waits for."),
    ("sprint_phase", Access.READ, Tier.AUTO, takes.Nothing,
     "Which phase the current run (the sprint) is in and what the next one needs."),
    ("search_beads", Access.READ, Tier.AUTO, takes.SearchBeads,
     "Find issues (beads) by words, id or status."),
    ("spec_lookup", Access.READ, Tier.AUTO, takes.SpecLookup,
     "List a run's artifacts (specs, plans, reports) or read one."),
    ("review_summary", Access.READ, Tier.AUTO, takes.RunStatus,
     "What the latest reviews found."),
    ("next_work", Access.READ, Tier.AUTO, takes.NextWork,
     "Issues that are ready to be worked on, the most important first, each with the reason."),
    ("run_events", Access.READ, Tier.AUTO, takes.RunEvents,
     "What happened lately: phase changes, gates, budgets, discoveries."),
    ("what_changed", Access.READ, Tier.AUTO, takes.WhatChanged,
     "What changed since somebody last looked: runs, issues, discoveries."),
    ("readiness", Access.READ, Tier.AUTO, takes.RunStatus,
     "Whether a run is ready for a person: what it waits for, what is still open, what there is to look at."),
    ("decisions", Access.READ, Tier.AUTO, takes.Decisions,
     "Who decided what, and why."),
    ("research", Access.READ, Tier.AUTO, takes.Research,
     "Search what was discovered and registered earlier."),
    ("create_issue", Access.WRITE, Tier.AUTO, takes.CreateIssue,
     "Create an issue."),
    ("update_issue", Access.WRITE, Tier.AUTO, takes.UpdateIssue,
     "Change an issue's status, priority, title or description, or add notes."),
    ("close_issue", Access.WRITE, Tier.AUTO, takes.CloseIssue,
     "Close an issue, with the reason."),
    ("register_finding", Access.WRITE, Tier.AUTO, takes.RegisterFinding,
     "Keep a finding or insight, so that it can be researched and triaged later."),
    ("start_run", Access.WRITE, Tier.CONFIRM, takes.StartRun,
     "Start a run (a sprint) towards a goal. A person confirms it first."),
    ("approve_gate", Access.WRITE, Tier.CONFIRM, takes.ApproveGate,
     "Let a run through the gate it waits at. A person confirms it first."),
    ("reject_gate", Access.WRITE, Tier.CONFIRM, takes.GateDecision,
     "Turn a run down at its gate: it stays where it is. A person confirms it first."),
    ("defer_gate", Access.WRITE, Tier.CONFIRM, takes.GateDecision,
     "Leave the decision about a gate for later. A person confirms it first."),
    ("advance_phase", Access.WRITE, Tier.CONFIRM, takes.AdvancePhase,
     "Try to move a run to its next phase; its gate is checked. A person confirms it first."),
    ("pause_run", Access.WRITE, Tier.CONFIRM, takes.RunAction,
     "Make a run ask before every further phase. A person confirms it first."),
    ("resume_run", Access.WRITE, Tier.CONFIRM, takes.RunAction,
     "Let a paused run move on by itself again. A person confirms it first."),
    ("cancel_run", Access.WRITE, Tier.CONFIRM, takes.RunAction,
     "Stop a run for good; its work stays. A person confirms it first."),
    ("extend_budget", Access.WRITE, Tier.CONFIRM, takes.ExtendBudget,
     "Give a run more tokens. A person confirms it first."),
    ("promote_discovery", Access.WRITE, Tier.CONFIRM, takes.PromoteDiscovery,
     "Turn a discovery into an issue. A person confirms it first."),
    ("dismiss_discovery", Access.WRITE, Tier.CONFIRM, takes.DiscoveryAction,
     "Put a discovery aside for good. A person confirms it first."),
)  # fmt: skip

OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        name: Operation(name=name, access=access, tier=tier, params=params, summary=summary)
        for name, access, tier, params, summary in _ROWS
    }
)
