"""Issues are filed, changed and closed with `bd`. What we file refers to the key; what we change keeps it."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from demarch import parameters as takes
from demarch.cli import issues
from demarch.cli.commands import command, flagged
from demarch.cli.evidence import Said, Work, filed
from demarch.cli.marks import printable
from demarch.cli.parsing import Data, moment_of, objects, text_of
from demarch.cli.process import Runner
from demarch.errors import Conflict, EvidenceUnknown, NotFound
from demarch.kernel import Outcome
from demarch.phrases import ago, one_line
from demarch.telling import issues as tell
from storage.clock import Clock

MARK = "intercom_write"  #: the field of an issue's metadata that names the last write of ours
_UNGIVEN = "Closed"  #: what `bd` puts down as the reason of those who give none


async def raw(runner: Runner, issue_id: str) -> Data:
    """An issue as `bd` prints it. Raises NotFound."""
    result = await runner.ask(command("bd.show", issue_id))
    found = [data for data in objects(result.out) if text_of(data, "id")] if result.code == 0 else []
    if found:
        return found[0]
    await issues.show(runner, issue_id)  # says what is wrong
    raise NotFound(f"There is no issue {one_line(issue_id, 60)}.")


async def file(
    runner: Runner, work: Work, *, title: str, description: str, priority: int, **about: Any
) -> Said | None:
    """A new issue that carries the key. `about`: type and labels."""
    told = command(
        "bd.create",
        title=title,
        description=_text(description),
        priority=priority,
        **about,
        external_ref=_reference(work),
        actor=_actor(work),
    )
    return _one((await filed(runner, told)).out)


async def filed_with(runner: Runner, work: Work) -> Data | None:
    """The issue this write has made, if it has."""
    # A search needs words, which are looked for in titles and ids: every id has a dash in it.
    told = command("bd.search", query="-", external_contains=_reference(work), status="all")
    result = await runner.ask(told)
    mine = (data for data in objects(result.out) if text_of(data, "external_ref") == _reference(work))
    return next(mine, None)


def _reference(work: Work) -> str:
    return f"intercom:{work.name}"


class Create:
    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def about(self, params: takes.CreateIssue) -> str:
        return ""

    async def see(self, params: takes.CreateIssue) -> Mapping[str, Any]:
        return {}

    async def act(self, work: Work) -> Said | None:
        params: takes.CreateIssue = work.params
        return await file(
            self._runner,
            work,
            title=params.title,
            description=params.description,
            priority=params.priority,
            type=params.issue_type,
            labels=_listed(params.labels),
        )

    async def settle(self, work: Work, said: Said | None) -> Outcome | None:
        found = said or await filed_with(self._runner, work)
        if found is None:
            return None
        issue = issues.issue_data(found)
        return Outcome(text=tell.created(issue), data=issue)


class Update:
    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def about(self, params: takes.UpdateIssue) -> str:
        return params.id

    async def see(self, params: takes.UpdateIssue) -> Mapping[str, Any]:
        return {"id": text_of(await raw(self._runner, params.id), "id")}

    async def act(self, work: Work) -> Said | None:
        params: takes.UpdateIssue = work.params
        told = command(
            "bd.update",
            work.seen["id"],
            status=params.status,
            priority=params.priority,
            title=params.title,
            description=None
            if params.description is None
            else params.description and _text(params.description),
            append_notes=params.notes or None,
            set_metadata=f"{MARK}={_stamp(work)}",
            actor=_actor(work),
        )
        return _one((await filed(self._runner, told)).out)

    async def settle(self, work: Work, said: Said | None) -> Outcome | None:
        found = said or await _maybe(self._runner, work.seen["id"])
        if found is None or (said is None and _mark(found) != _stamp(work)):
            return None
        issue = issues.issue_data(found)
        changed = sorted(work.params.model_fields_set - {"id"})
        return Outcome(text=tell.updated(issue, changed, ()), data=issue | {"unblocked": []})


class Close:
    def __init__(self, runner: Runner, clock: Clock) -> None:
        self._runner = runner
        self._clock = clock

    def about(self, params: takes.CloseIssue) -> str:
        return params.id

    async def see(self, params: takes.CloseIssue) -> Mapping[str, Any]:
        found = await raw(self._runner, params.id)
        if text_of(found, "status") == "closed":
            then = moment_of(found, "closed_at")
            when = f" ({ago(self._clock.now(), then)})" if then else ""
            raise Conflict(f"{one_line(text_of(found, 'title'), 120)} is closed already{when}.", now="closed")
        return {"id": text_of(found, "id"), "updated_at": text_of(found, "updated_at")}

    async def act(self, work: Work) -> Said | None:
        reason = printable(work.params.reason) or None
        told = command("bd.close", work.seen["id"], reason=reason, actor=_actor(work))
        result = await filed(self._runner, flagged(told, "suggest-next"))
        found = objects(result.out)
        return found[0] if found else None

    async def settle(self, work: Work, said: Said | None) -> Outcome | None:
        found, unblocked = _closed(said or {})
        if found is None:
            found = await _maybe(self._runner, work.seen["id"])
        if found is None or (said is None and not self._ours(work, found)):
            return None
        issue, freed = issues.issue_data(found), [issues.issue_data(data) for data in unblocked]
        data = issue | {"unblocked": [each["id"] for each in freed]}
        return Outcome(text=tell.closed(_unsaid(issue), freed), data=data)

    def _ours(self, work: Work, found: Data) -> bool:
        if text_of(found, "status") == "closed":
            # Somebody else who closed it gave another reason; with the same one it is the same deed.
            return text_of(found, "close_reason") == (printable(work.params.reason) or _UNGIVEN)
        if text_of(found, "updated_at") == work.seen["updated_at"]:
            return False
        raise EvidenceUnknown(
            f"The issue {work.seen['id']} is open and was changed in the meantime; "
            "nobody can say whether it was closed and opened again."
        )


def _closed(said: Said) -> tuple[Data | None, Sequence[Data]]:
    """The issue, and what it had blocked: `bd` wraps the two only when there is any of the latter."""
    if isinstance(said.get("closed"), list):
        one = next((data for data in said["closed"] if isinstance(data, dict)), None)
        freed = said.get("unblocked")
        return one, [data for data in freed if isinstance(data, dict)] if isinstance(freed, list) else []
    return (dict(said), ()) if text_of(said, "id") else (None, ())


def _unsaid(issue: Data) -> Data:
    return {name: value for name, value in issue.items() if (name, value) != ("close_reason", _UNGIVEN)}


async def _maybe(runner: Runner, issue_id: str) -> Data | None:
    try:
        return await raw(runner, issue_id)
    except NotFound:
        return None


def _one(out: str) -> Data | None:
    return next((data for data in objects(out) if text_of(data, "id")), None)


def _mark(issue: Mapping[str, Any]) -> str:
    metadata = issue.get("metadata")
    if isinstance(metadata, str):
        found = list(objects(metadata)) if metadata.startswith("{") else []
        metadata = found[0] if found else None
    return str(metadata.get(MARK, "")) if isinstance(metadata, dict) else ""


def _stamp(work: Work) -> str:
    # What looks like a number would be kept as one.
    return f"key:{work.name}"


def _actor(work: Work) -> str | None:
    return printable(work.actor, 120) or None


def _text(value: str) -> str | None:
    """A lone "-" would make `bd` read its input."""
    return "- " if value == "-" else value or None


def _listed(labels: Sequence[str]) -> str | None:
    """As one field of CSV each, the way `bd` reads a list."""
    if not labels:
        return None
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(labels)
    return line.getvalue()
