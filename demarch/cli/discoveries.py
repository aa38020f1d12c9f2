"""Findings are registered, discoveries promoted to issues or dismissed; a finding's source id is the key."""

from collections.abc import Mapping
from typing import Any

import structlog

from demarch import parameters as takes
from demarch.cli import research
from demarch.cli.commands import command, flagged
from demarch.cli.evidence import Said, Work, done
from demarch.cli.marks import printable
from demarch.cli.parsing import Data, complaint, objects, plain, text_of
from demarch.cli.process import Runner
from demarch.cli.tracking import file, filed_with, raw
from demarch.errors import Conflict, DemarchError, KernelUnavailable, NotPossible
from demarch.kernel import Outcome
from demarch.phrases import one_line, quoted
from demarch.telling import findings as tell

log = structlog.get_logger()

_ALL = 100_000  #: so many discoveries of one source are looked through
_DECIDED = frozenset({"promoted", "dismissed"})
_ID_LENGTH = 12


class Register:
    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def about(self, params: takes.RegisterFinding) -> str:
        return ""

    async def see(self, params: takes.RegisterFinding) -> Mapping[str, Any]:
        return {}

    async def act(self, work: Work) -> Said | None:
        params: takes.RegisterFinding = work.params
        told = command(
            "discovery.submit",
            source=params.source,
            source_id=work.name,
            title=params.title,
            summary=params.summary or None,
            url=params.url or None,
            score=params.score,
        )
        result = await done(self._runner, told)
        new = plain(result.out)
        if result.code:
            # A source tells the same thing once: this one did.
            if await self._find(work) is None:
                raise NotPossible(f"The kernel did not keep it: {complaint(result.out, result.err)}.")
            return None
        return {"id": new} if len(new) == _ID_LENGTH and new.isalnum() else None

    async def settle(self, work: Work, said: Said | None) -> Outcome | None:
        found = await research.get(self._runner, str(said["id"])) if said else await self._find(work)
        if found is None:
            return None
        data = research.discovery_data(found)
        return Outcome(text=tell.registered(data, True), data=data)

    async def _find(self, work: Work) -> Data | None:
        result = await self._runner.ask(command("discovery.list", source=work.params.source, limit=_ALL))
        mine = (data for data in objects(result.out) if text_of(data, "source_id") == work.name)
        return next(mine, None)


class Triage:
    """What promoting and dismissing share: only what nobody has decided is decided."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def about(self, params: takes.DiscoveryAction) -> str:
        return params.discovery_id.lower()

    async def see(self, params: takes.DiscoveryAction) -> Mapping[str, Any]:
        found = await research.get(self._runner, params.discovery_id)
        if (status := text_of(found, "status")) in _DECIDED:
            raise Conflict(f"{quoted(text_of(found, 'title'))} was {status} already.", now=status)
        return {"id": text_of(found, "id")}

    async def found(self, work: Work) -> Data:
        return await research.get(self._runner, work.seen["id"])

    async def refuse(self, work: Work, why: str) -> DemarchError:
        """After a "no" of the kernel: somebody was faster, or the kernel has its own reason."""
        found = await self.found(work)
        if (status := text_of(found, "status")) in _DECIDED:
            return Conflict(f"{quoted(text_of(found, 'title'))} was {status} already.", now=status)
        return NotPossible(f"The kernel did not take it: {why}.")


class Dismiss(Triage):
    async def act(self, work: Work) -> Said | None:
        result = await done(self._runner, command("discovery.dismiss", work.seen["id"]))
        if result.code:
            raise await self.refuse(work, complaint(result.out, result.err))
        return None

    async def settle(self, work: Work, said: Said | None) -> Outcome | None:
        found = await self.found(work)
        return _outcome(found) if text_of(found, "status") == "dismissed" else None


class Promote(Triage):
    """Two steps: an issue that carries the key, and the discovery that points to it."""

    async def see(self, params: takes.PromoteDiscovery) -> Mapping[str, Any]:  # type: ignore[override]
        seen = dict(await super().see(params))
        if params.issue_id is not None:
            seen["issue"] = text_of(await raw(self._runner, params.issue_id), "id")
        return seen

    async def act(self, work: Work) -> Said | None:
        issue = str(work.seen.get("issue") or "") or await self._file(work)
        if issue:
            await self._attach(work, issue)
        return None

    async def _file(self, work: Work) -> str:
        found = await self.found(work)
        body = "\n\n".join(text for name in ("summary", "url") if (text := text_of(found, name)))
        title = printable(text_of(found, "title")) or "A discovery without a title"
        made = await file(
            self._runner, work, title=title, description=body, priority=work.params.priority, type="task"
        )
        return text_of(made, "id") if made else ""

    async def _attach(self, work: Work, issue: str) -> None:
        # A person decided: the kernel's own threshold for promotions is for machines.
        told = flagged(command("discovery.promote", work.seen["id"], bead_id=issue), "force")
        try:
            result = await done(self._runner, told)
        except NotPossible as error:
            raise await self._undo(work, error) from error
        if result.code:
            raise await self._undo(work, await self.refuse(work, complaint(result.out, result.err)))

    async def settle(self, work: Work, said: Said | None) -> Outcome | None:
        """An issue that was filed and not attached yet is attached: the decision was made."""
        issue = str(work.seen.get("issue") or "")
        own = None if issue else await filed_with(self._runner, work)
        issue = issue or (text_of(own, "id") if own else "")
        found = await self.found(work)
        if own is not None and text_of(found, "status") not in _DECIDED:
            await self._attach(work, issue)
            found = await self.found(work)
            if text_of(found, "status") not in _DECIDED:
                raise KernelUnavailable(
                    f"The issue {issue} is filed; the kernel did not take note of it yet."
                )
        if issue and text_of(found, "status") == "promoted" and text_of(found, "bead_id") == issue:
            return _outcome(found)
        if text_of(found, "status") in _DECIDED:
            status = text_of(found, "status")
            words = f"{quoted(text_of(found, 'title'))} was {status} by somebody else in the same moment."
            raise await self._undo(work, Conflict(words, now=status))
        return None

    async def _undo(self, work: Work, refusal: DemarchError) -> DemarchError:
        """The issue that was filed for it is not needed."""
        own = None if work.seen.get("issue") else await filed_with(self._runner, work)
        if own is not None and text_of(own, "status") != "closed":
            reason = (
                f"filed for the discovery {one_line(str(work.seen['id']), 60)}, which was decided otherwise"
            )
            told = command("bd.close", text_of(own, "id"), reason=reason)
            if (await self._runner.ask(told)).code:
                log.warning("discovery.issue_left", discovery=work.seen["id"], issue=text_of(own, "id"))
        return refusal


def _outcome(found: Data) -> Outcome:
    data = research.discovery_data(found)
    return Outcome(text=tell.triaged(data), data=data)
