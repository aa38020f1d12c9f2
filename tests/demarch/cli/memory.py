"""A kernel in memory behind the runner: as much of `ic` as moving a run needs, failing where a test says."""

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from demarch.cli.commands import Command
from demarch.cli.failures import BrokeOff, NotStarted
from demarch.cli.marks import unmarked
from demarch.cli.process import Result, Runner

CHAIN = ("brainstorm", "planned", "executing", "review", "done")
FAILS = {"conditions": [{"check": "verdict_exists", "result": "fail", "count": 0}]}
_OK = Result(code=0, out="", err="")


class Crash(BaseException):
    """The whole program dies here."""


class Fault(StrEnum):
    """How the next writing command goes wrong."""

    ABSENT = "absent"  #: the binary is gone
    BEFORE = "before"  #: killed before the deed
    AFTER = "after"  #: killed after the deed
    FAILED = "failed"  #: exit 2, nothing done
    FAILED_AFTER = "failed after"  #: exit 2 after the deed
    RUBBISH = "rubbish"  #: exit 0, rubbish printed, nothing done
    RUBBISH_AFTER = "rubbish after"
    SILENT = "silent"  #: done, and not a word
    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"


_RUBBISH = Result(code=0, out='\x00 {"id": [[[ <html>', err="")
_DONE = frozenset({Fault.AFTER, Fault.FAILED_AFTER, Fault.RUBBISH_AFTER, Fault.SILENT, Fault.CRASH_AFTER})
_PRINTED = {
    Fault.FAILED: Result(code=2, out="", err="database is locked"),
    Fault.FAILED_AFTER: Result(code=2, out="", err="could not write the hook's log"),
    Fault.RUBBISH: _RUBBISH,
    Fault.RUBBISH_AFTER: _RUBBISH,
    Fault.SILENT: _OK,
}


class Memory(Runner):
    """One run and what is started beside it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, {})
        self.runs: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.state: dict[str, str] = {}
        self.recorded: dict[str, str] = {}
        self.gate_open = True
        #: what goes wrong, one for each of the next writing commands
        self.faults: list[Fault | None] = []
        #: somebody else's hand, just before the next writing command
        self.meanwhile: Callable[[], None] | None = None
        self.unreadable = 0  #: so many of the next looks find nobody there
        self.start("refactor auth", None)

    # ---- what others do -----------------------------------------------------

    def start(self, goal: str, scope: str | None) -> str:
        run_id = f"run{len(self.runs):05}"
        row: dict[str, Any] = {
            "id": run_id,
            "goal": goal,
            "status": "active",
            "phase": CHAIN[0],
            "phases": list(CHAIN),
        }
        row |= {"phases": list(CHAIN), "project_dir": "/srv/shop", "auto_advance": True}
        row |= {"created_at": 1, "updated_at": 1}
        self.runs[run_id] = row | ({"scope_id": scope} if scope else {})
        return run_id

    @property
    def first(self) -> dict[str, Any]:
        return next(iter(self.runs.values()))

    def add(
        self, run: Mapping[str, Any], kind: str, to: str, reason: str = "", result: str = "pass"
    ) -> dict[str, Any]:
        row = {
            "id": len(self.events) + 1, "run_id": run["id"], "from_phase": run["phase"], "to_phase": to,
            "event_type": kind, "gate_result": result, "gate_tier": "hard", "created_at": 1, "reason": reason,
        }  # fmt: skip
        self.events.append(row)
        return row

    def ahead(self, run: Mapping[str, Any]) -> str:
        return CHAIN[min(CHAIN.index(run["phase"]) + 1, len(CHAIN) - 1)]

    def move(self, run: dict[str, Any], kind: str, to: str, reason: str = "") -> dict[str, Any]:
        row = self.add(run, kind, to, reason)
        run["phase"] = to
        run["status"] = "completed" if to == CHAIN[-1] else "active"
        return row

    def marked(self, key: str, *kinds: str) -> list[dict[str, Any]]:
        """What the log tells about one write."""
        return [e for e in self.events if unmarked(e["reason"])[1] == key and e["event_type"] in kinds]

    # ---- commands -----------------------------------------------------------

    async def run(self, command: Command) -> Result:
        if not command.row.writes:
            if self.unreadable:
                self.unreadable -= 1
                raise BrokeOff("The kernel is not there.")
            return self._do(command)
        if self.meanwhile is not None:
            hand, self.meanwhile = self.meanwhile, None
            hand()
        fault = self.faults.pop(0) if self.faults else None
        return self._faulty(command, fault) if fault else self._do(command)

    def _faulty(self, command: Command, fault: Fault) -> Result:
        if fault in _DONE:
            self._do(command)
        if fault in {Fault.CRASH_BEFORE, Fault.CRASH_AFTER}:
            raise Crash
        if fault in {Fault.BEFORE, Fault.AFTER}:
            raise BrokeOff("It was killed.")
        if fault is Fault.ABSENT:
            raise NotStarted("The program ic is not installed.")
        return _PRINTED[fault]

    def _do(self, command: Command) -> Result:
        words = [word for word in command.argv if not word.startswith("--")]
        given = dict(word[2:].split("=", 1) for word in command.argv if word.startswith("--") and "=" in word)
        name, about = " ".join(command.row.words), words[len(command.row.words) :]
        answer: Result = getattr(self, "_" + name.replace(" ", "_"))(*about, command=command, given=given)
        return answer

    def _run_status(self, run_id: str, **_: Any) -> Result:
        run = self.runs.get(run_id)
        return _said(run) if run else Result(code=1, out="", err="not found")

    def _run_list(self, given: dict[str, str], **_: Any) -> Result:
        return _said([run for run in self.runs.values() if run.get("scope_id") == given["scope"]])

    def _run_events(self, run_id: str, **_: Any) -> Result:
        return _said([event for event in self.events if event["run_id"] == run_id])

    def _run_tokens(self, run_id: str, **_: Any) -> Result:
        return _said({"run_id": run_id, "total_tokens": 0})

    def _run_budget(self, run_id: str, **_: Any) -> Result:
        return _said({"run_id": run_id, "budget": self.runs[run_id]["token_budget"], "used": 0})

    def _run_create(self, given: dict[str, str], **_: Any) -> Result:
        run_id = self.start(given["goal"], given["scope-id"])
        self.runs[run_id]["token_budget"] = int(given.get("token-budget", 0)) or None
        return _said({"id": run_id, "phase": "brainstorm"})

    def _run_cancel(self, run_id: str, **_: Any) -> Result:
        run = self.runs[run_id]
        if run["status"] != "active":
            return Result(code=1, out="", err="run already in terminal state")
        self.add(run, "cancel", run["phase"])
        run["status"] = "cancelled"
        return Result(code=0, out="cancelled\n", err="")

    def _run_set(self, run_id: str, given: dict[str, str], **_: Any) -> Result:
        run = self.runs[run_id]
        run["auto_advance"] = given["auto-advance"] == "true"
        self.add(run, "set", run["phase"])
        return Result(code=0, out="updated\n", err="note: overrides the default\n")

    def _run_advance(self, run_id: str, given: dict[str, str], **_: Any) -> Result:
        run, why = self.runs[run_id], given.get("skip-reason", "")
        if run["status"] != "active":
            return Result(code=1, out="", err="run is in a terminal status")
        if not run["auto_advance"] and not why:
            return _said(self.add(run, "pause", self.ahead(run)) | {"advanced": False}, 1)
        if not self.gate_open:
            reason = " | ".join(part for part in (why, json.dumps(FAILS)) if part)
            return _said(self.add(run, "block", self.ahead(run), reason, "fail") | {"advanced": False}, 1)
        return _said(self.move(run, "advance", self.ahead(run), why) | {"advanced": True})

    def _run_rollback(self, run_id: str, given: dict[str, str], **_: Any) -> Result:
        run = self.runs[run_id]
        here, to = CHAIN.index(run["phase"]), CHAIN.index(given["to-phase"])
        if to >= here or run["status"] == "cancelled":
            return Result(code=1, out="", err="cannot roll back")
        return _said(self.move(run, "rollback", given["to-phase"], given.get("reason", "")))

    def _gate_override(self, run_id: str, given: dict[str, str], **_: Any) -> Result:
        run = self.runs[run_id]
        if run["status"] != "active":
            return Result(code=1, out="", err="run is in terminal status")
        reason = json.dumps({"override_category": "justified", "reason": given["reason"]}, ensure_ascii=False)
        row = self.move(run, "override", self.ahead(run), reason)
        return _said(
            {"from_phase": row["from_phase"], "to_phase": row["to_phase"], "reason": given["reason"]}
        )

    def _gate_check(self, run_id: str, **_: Any) -> Result:
        run = self.runs[run_id]
        result = "pass" if self.gate_open else "fail"
        gate = {"from_phase": run["phase"], "to_phase": self.ahead(run), "result": result, "tier": "hard"}
        return _said(gate | {"evidence": {"conditions": []}}, 0 if self.gate_open else 1)

    def _state_set(self, key: str, scope: str, command: Command, **_: Any) -> Result:
        self.state[scope] = (command.stdin or b"").decode()
        return _OK

    def _state_get(self, key: str, scope: str, **_: Any) -> Result:
        kept = self.state.get(scope)
        return Result(code=0, out=kept, err="") if kept else Result(code=1, out="", err="not found")

    def _events_record(self, given: dict[str, str], **_: Any) -> Result:
        self.recorded.setdefault(given["idempotency-key"], given["type"])
        return Result(code=0, out=f"{len(self.recorded)}\n", err="")


def _said(value: Any, code: int = 0) -> Result:
    return Result(code=code, out=json.dumps(value) + "\n", err="")
