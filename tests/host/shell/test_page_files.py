"""Files of the page on the database: kept for who handed them over, seen by whoever sees the room."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from bridges.messages import Attachment, AttachmentKind, ChatMessage, Content, Document, Person
from bridges.web.port import NoSuchRoom, Reading, UploadRefused
from host.conversation.messages_store import keep_message
from host.incoming.reception import receive
from host.outgoing.outbox import Outbox, PostKind
from host.page import page_files
from host.page.page_files import PageFiles
from host.page.page_items import item
from host.page.transcript import Entry, Transcript
from host.people.registry import Registry, Role
from storage.database import Database
from storage.ids import NewId
from tests.bridges.telegram.test_files import png
from tests.clock import HandClock

OWNER, BEN, STRANGER = "web:owner", "web:ben", "web:stranger"
NOTES = Document(name="../notes\n.txt", mime="text/plain", data=b"words")


@dataclass(kw_only=True)
class Desk:
    files: PageFiles
    registry: Registry
    outbox: Outbox
    database: Database
    clock: HandClock
    new_id: NewId

    async def say(self, *attachments: Attachment, address: str = "web:local") -> Entry:
        message = ChatMessage(
            update_id="1",
            address=address,
            sender=Person(address=OWNER, name="You"),
            text="look",
            ref="m1",
            sent_at=self.clock.now(),
            attachments=attachments,
        )
        number = self.new_id()
        async with self.database.transaction() as conn:
            reception = receive(message, self.registry, "Amtiskaw")
            await keep_message(conn, number, message, reception, self.clock.now())
        found = await Transcript(self.database).entry("main", number)
        assert found is not None
        return found


def attached(handle: str, name: str = "notes.txt") -> Attachment:
    kind = AttachmentKind.DOCUMENT
    return Attachment(kind=kind, handle=handle, name=name, mime="text/plain", size=5)


@pytest.fixture
async def desk(database: Database, clock: HandClock, new_id: NewId) -> Desk:
    registry = Registry(database, clock, runtime="local")
    await registry.ensure_main(["tg:1000"])
    await registry.set_role("main", BEN, Role.VIEWER)
    return Desk(
        files=PageFiles(database=database, registry=registry, clock=clock, new_id=new_id),
        registry=registry,
        outbox=Outbox(database, clock, new_id),
        database=database,
        clock=clock,
        new_id=new_id,
    )


async def test_an_upload_is_its_persons_until_it_is_sent(desk: Desk) -> None:
    upload = await desk.files.keep(OWNER, "main", NOTES)
    assert (upload.name, upload.mime, upload.size) == ("notes.txt", "text/plain", 5)
    assert await desk.files.kept(OWNER, "main", [upload.id, "nonsense", upload.id]) == [upload]
    assert await desk.files.kept(BEN, "main", [upload.id]) == []
    assert await desk.files.file(BEN, upload.id) is None
    kept = await desk.files.file(OWNER, upload.id)
    assert (
        kept
        == await desk.files.handed_over(upload.id)
        == Document(name="notes.txt", mime="text/plain", data=b"words")
    )
    entry = await desk.say(attached(upload.id))
    shown = item(entry, "Amtiskaw")
    assert [(file.id, file.name, file.size) for file in shown.files] == [(upload.id, "notes.txt", 5)]
    assert await desk.files.file(BEN, upload.id) is not None
    assert await desk.files.file(STRANGER, upload.id) is None


async def test_who_has_no_role_hands_nothing_over(desk: Desk) -> None:
    for person, folder in ((STRANGER, "main"), (OWNER, "nowhere")):
        with pytest.raises(NoSuchRoom):
            await desk.files.keep(person, folder, NOTES)
    for nonsense in ("", "nope", "../x"):
        assert await desk.files.file(OWNER, nonsense) is None
        assert await desk.files.handed_over(nonsense) is None


async def test_what_is_never_sent_is_forgotten_after_a_day(desk: Desk) -> None:
    sent = await desk.files.keep(OWNER, "main", NOTES)
    unsent = await desk.files.keep(OWNER, "main", NOTES)
    await desk.say(attached(sent.id))
    await desk.clock.advance(timedelta(days=1, seconds=1).total_seconds())
    await desk.files.keep(OWNER, "main", NOTES)
    assert await desk.files.handed_over(sent.id) is not None
    assert await desk.files.handed_over(unsent.id) is None


async def test_one_person_hands_over_so_much_without_sending(desk: Desk) -> None:
    big = Document(name="big", mime="", data=bytes(page_files.MOST_UNSENT // 4))
    for _ in range(4):
        upload = await desk.files.keep(OWNER, "main", big)
    with pytest.raises(UploadRefused, match="Too many files"):
        await desk.files.keep(OWNER, "main", NOTES)
    await desk.say(attached(upload.id))
    await desk.files.keep(OWNER, "main", NOTES)


async def test_a_picture_is_one_by_content(desk: Desk) -> None:
    assert (await desk.files.keep(OWNER, "main", Document(name="x", mime="", data=png()))).mime == "image/png"
    claimed = Document(name="x.png", mime="image/png", data=b"<svg onload=alert(1)>")
    assert (await desk.files.keep(OWNER, "main", claimed)).mime == "application/octet-stream"


async def test_a_file_of_another_network_has_no_handle_here(desk: Desk) -> None:
    entry = await desk.say(attached("telegram-secret-handle"), address="tg:1000")
    (file,) = item(entry, "Amtiskaw").files
    assert (file.id, file.name) == ("", "notes.txt")


async def test_a_file_an_agent_sent_is_seen_with_its_post_and_its_name(desk: Desk) -> None:
    async with desk.database.transaction() as conn:
        content = Content(
            text="", document=Document(name="a.txt", mime="text/plain", data=b"x"), sender="Reviewer"
        )
        post = await desk.outbox.put(
            conn, address="web:local", kind=PostKind.ANSWER, content=content, folder="main", slot="file:1"
        )
        again = await desk.outbox.put(
            conn, address="web:local", kind=PostKind.ANSWER, content=content, folder="main", slot="file:1"
        )
    assert again == post
    transcript = Transcript(desk.database)
    entry = await transcript.entry("main", post)
    assert entry is not None
    assert not entry.gone
    assert await transcript.page("main", None, 10) == [entry]
    shown = item(entry, "Amtiskaw")
    (file,) = shown.files
    assert (shown.author, shown.reading, file.name, file.size) == ("Reviewer", Reading.NOTHING, "a.txt", 1)
    assert await desk.files.file(BEN, file.id) == content.document
    assert await desk.files.file(STRANGER, file.id) is None
    due = await desk.outbox.next_due("web:local")
    assert due is not None
    assert (due.content, due.version) == (content, 1)
    async with desk.database.transaction() as conn:
        await desk.outbox.withdraw(conn, "file:1")
    entry = await transcript.entry("main", post)
    assert entry is not None
    assert entry.gone
