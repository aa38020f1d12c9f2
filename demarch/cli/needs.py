"""What each operation needs of the binaries, and what follows when some of it is missing."""

from collections.abc import Mapping
from types import MappingProxyType

from demarch.cli.commands import BD

#: what of the binaries each operation cannot do without: a group of commands and one of it
NEEDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "run_status": ("run current", "run status"),
        "sprint_phase": ("run current", "run status"),
        "spec_lookup": ("run artifact",),
        "run_events": ("events tail",),
        "what_changed": ("events tail", "run list"),
        "readiness": ("run current", "run status"),
        "decisions": ("events tail", "run list"),
        "research": ("discovery list",),
        "register_finding": ("discovery submit",),
        "start_run": ("run create",),
        "approve_gate": ("gate override", "run advance"),
        "reject_gate": ("state set", "events record"),
        "defer_gate": ("state set", "events record"),
        "advance_phase": ("run advance",),
        "pause_run": ("run set",),
        "resume_run": ("run set",),
        "cancel_run": ("run cancel",),
        "extend_budget": ("run create",),
        "promote_discovery": ("discovery promote", BD),
        "dismiss_discovery": ("discovery dismiss",),
        "search_beads": (BD,),
        "next_work": (BD,),
        "create_issue": (BD,),
        "update_issue": (BD,),
        "close_issue": (BD,),
    }
)
#: groups of commands of `ic` that are looked into
GROUPS = ("run", "gate", "events", "state", "discovery")

#: words that a list of each group's commands may hold
KNOWN: Mapping[str, frozenset[str]] = {
    name: frozenset(
        words.split()[1] for needs in NEEDS.values() for words in needs if words.startswith(f"{name} ")
    )
    | frozenset({"status", "list", "check", "rules", "get", "delete", "tail", "cursor"})
    for name in GROUPS
}


def absent_ones(ic: str, missing: Mapping[str, str]) -> dict[str, str]:
    """Operations that cannot be had, each with its reason: `ic` itself is missing, `bd` is, or a command."""
    absent: dict[str, str] = {}
    for operation, needs in NEEDS.items():
        reasons = [missing.get(BD, "") if words == BD else ic or missing.get(words, "") for words in needs]
        if reason := next((reason for reason in reasons if reason), ""):
            absent[operation] = reason
    return absent
