"""What the page shows, made of what the host has stored. Pure."""

from collections.abc import Sequence

from bridges.web.port import Delivery, Item, ItemFile, ItemKind, Member, Reading, Work
from demarch.kernel import Run
from host.outgoing.outbox import PostKind
from host.page.transcript import Entry, EntryFile
from host.people.registry import Group, Registry, Role

HOST = "Intercom"

_KINDS = {
    None: ItemKind.MESSAGE,
    PostKind.ANSWER: ItemKind.ANSWER,
    PostKind.PREVIEW: ItemKind.ANSWER,
    PostKind.DECISION: ItemKind.DECISION,
    PostKind.NOTICE: ItemKind.NOTICE,
}


def item(entry: Entry, agent: str) -> Item:
    """One entry of the transcript as the page shows it."""
    kind = _KINDS[entry.kind]
    return Item(
        id=str(entry.id),
        folder=entry.folder,
        kind=kind,
        author=_author(entry, kind, agent),
        text=entry.content.text,
        at=entry.at,
        address=entry.address,
        ref=entry.refs[0] if entry.refs else "",
        person=entry.person,
        markup=entry.content.markup,
        headline=entry.content.headline,
        buttons=entry.content.buttons,
        picture=None if entry.picture is None else str(entry.picture),
        delivery=_delivery(entry),
        reason=entry.failed or "",
        edited=entry.edited,
        streaming=entry.kind is PostKind.PREVIEW,
        activity=entry.activity,
        files=tuple(_file(entry, each) for each in entry.files),
        reading=Reading(entry.reading),
    )


def _file(entry: Entry, file: EntryFile) -> ItemFile:
    """What came through another network has a handle of that network's, which is nobody's business here."""
    here = entry.kind is not None or entry.address.startswith("web:")
    return ItemFile(
        id=file.handle if here else "",
        name=file.name,
        mime=file.mime,
        size=file.size,
        refused=file.refused or "",
    )


def _author(entry: Entry, kind: ItemKind, agent: str) -> str:
    if kind is ItemKind.MESSAGE:
        return entry.person_name or entry.person
    return entry.content.sender or agent if kind is ItemKind.ANSWER else HOST


def _delivery(entry: Entry) -> Delivery:
    if entry.failed is not None:
        return Delivery.FAILED
    return Delivery.SENT if entry.sent else Delivery.QUEUED


def work(run: Run, *, waits: bool) -> Work:
    """A run under way, for the side of the page."""
    here = run.phases.index(run.phase) if run.phase in run.phases else 0
    return Work(
        id=run.id,
        title=run.goal,
        phase=run.phase,
        phases_done=here,
        phases=len(run.phases),
        budget_percent=None if not run.budget else run.used * 100 // run.budget,
        note="waits for a decision" if waits else "",
    )


def members(registry: Registry, group: Group) -> Sequence[Member]:
    """Everybody with a role, the highest first."""
    return [
        Member(person=person, name=name, role=role.value)
        for role in Role
        for person, name in registry.people_with(group.folder, role)
    ]


def rules(registry: Registry, group: Group, agent: str) -> Sequence[str]:
    """What is allowed here, in sentences."""
    deciders = [name for _, name in registry.people_with(group.folder, Role.OWNER, Role.APPROVER)]
    said = [
        "The agent may read, and change what is harmless at once."
        if group.main or group.writes
        else "The agent may only read; an owner can let it write.",
        f"What is grave waits for {', '.join(deciders)}." if deciders else "Nobody here may decide.",
    ]
    if group.trigger_required and not group.main:
        said.append(f"It answers when called: @{agent}.")
    return said
