"""Files on the page: taken in within bounds, sent with a message, and given out as nothing but files."""

import io

import pytest
from aiohttp import ClientResponse, FormData

from bridges.messages import AttachmentKind, ChatMessage, Document
from bridges.port import FileRefused
from bridges.web.port import ItemFile, NoSuchRoom, Room
from bridges.web.settings import WebSettings
from tests.bridges.web.memory import OWNER, MemoryHost
from tests.bridges.web.serving import Visit, visiting

SMALL = WebSettings(port=0, file_limit=1000, files=2, uploads=4)


async def hand_over(
    visit: Visit, data: bytes, name: str = "report.pdf", mime: str = "application/pdf", *, room: str = "main"
) -> ClientResponse:
    form = FormData()
    form.add_field("words", "a field that is no file")
    form.add_field("file", io.BytesIO(data), filename=name, content_type=mime)
    address = f"{visit.url}/api/rooms/{room}/files"
    return await visit.session.post(address, data=form, headers={"Origin": visit.url})


async def test_a_file_is_handed_over_and_sent_with_a_message(host: MemoryHost) -> None:
    async with visiting(host, SMALL) as (bridge, visit), visit.open() as socket:
        answer = await hand_over(visit, b"%PDF-1.7")
        assert answer.status == 201
        upload = await answer.json()
        assert upload == {"id": "upload-1", "name": "report.pdf", "mime": "application/pdf", "size": 8}
        await socket.say("read this", "client-0001", files=["upload-1"])
        await socket.next("taken")
        (message,) = await host.received(1)
        assert isinstance(message, ChatMessage)
        (file,) = message.attachments
        assert (message.text, file.kind, file.name) == ("read this", AttachmentKind.DOCUMENT, "report.pdf")
        assert await bridge.fetch(file.handle, 1000) == b"%PDF-1.7"
        with pytest.raises(FileRefused, match="larger"):
            await bridge.fetch(file.handle, 7)
        with pytest.raises(FileRefused, match="not kept"):
            await bridge.fetch("nope", 1000)


async def test_a_file_of_megabytes_arrives_whole(host: MemoryHost) -> None:
    data = bytes(3_000_000) + b"the end"
    async with visiting(host) as (bridge, visit):
        assert (await hand_over(visit, data)).status == 201
        fetched = await bridge.fetch("upload-1", len(data))
        answer = await visit.session.get(f"{visit.url}/api/files/upload-1")
        given = await answer.read()
    assert [(len(each), each.endswith(b"the end")) for each in (fetched, given)] == [(len(data), True)] * 2


async def test_a_file_may_come_without_a_word(host: MemoryHost) -> None:
    async with visiting(host, SMALL) as (_, visit), visit.open() as socket:
        await hand_over(visit, b"x", "a.png", "image/png")
        await socket.say("  ", "client-0001", files=["upload-1"])
        await socket.next("taken")
        (message,) = await host.received(1)
        assert isinstance(message, ChatMessage)
        assert message.text == "[Photo: a.png]"


async def test_what_cannot_be_sent_is_said(host: MemoryHost) -> None:
    async with visiting(host, SMALL) as (_, visit), visit.open() as socket:
        for _ in range(3):
            await hand_over(visit, b"x")
        for files, words in {
            ("upload-9",): "not kept any more",
            ("upload-1", "upload-2", "upload-3"): "carries 2 files",
        }.items():
            await socket.say("here", "client-0001", files=files)
            refused = await socket.next("refused")
            assert words in refused["text"]
            assert refused["retry"] is None
    assert host.updates == []


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [(b"x" * 1001, 413, "at most"), (b"x" * 100_000, 413, "at most"), (b"", 400, "empty")],
)
async def test_files_are_bounded_and_have_content(
    host: MemoryHost, data: bytes, status: int, words: str
) -> None:
    async with visiting(host, SMALL) as (_, visit):
        answer = await hand_over(visit, data)
        assert (answer.status, words in await answer.text()) == (status, True)
    assert host.uploads == {}


async def test_a_form_must_be_one_and_have_a_file(host: MemoryHost) -> None:
    async with visiting(host, SMALL) as (_, visit):
        address, headers = f"{visit.url}/api/rooms/main/files", {"Origin": visit.url}
        async with visit.session.post(address, data=b"raw", headers=headers) as answer:
            assert answer.status == 415
        async with visit.session.post(
            address, data=b"no boundary", headers=headers | {"Content-Type": "multipart/form-data"}
        ) as answer:
            assert answer.status == 400
        form = FormData({"words": "only"}, default_to_multipart=True)
        async with visit.session.post(address, data=form, headers=headers) as answer:
            assert (answer.status, "no file" in await answer.text()) == (400, True)


async def test_only_the_page_itself_and_its_visitors_hand_over(host: MemoryHost) -> None:
    host.rooms_by_folder["team"] = Room(folder="team", title="Team", address=None, role="viewer")
    async with visiting(host, SMALL) as (_, visit):
        address = f"{visit.url}/api/rooms/main/files"
        for headers in ({}, {"Origin": "https://evil.example"}):
            form = FormData()
            form.add_field("file", b"x", filename="a")
            async with visit.session.post(address, data=form, headers=headers) as answer:
                assert answer.status == 403
        assert (await hand_over(visit, b"x", room="nowhere")).status == 404
        assert (await hand_over(visit, b"x", room="team")).status == 403
        visit.session.cookie_jar.clear()
        assert (await hand_over(visit, b"x")).status == 401
        async with visit.session.get(f"{visit.url}/api/files/upload-1") as answer:
            assert answer.status == 401
    assert host.uploads == {}


async def test_who_hands_over_too_much_waits(host: MemoryHost) -> None:
    async with visiting(host, SMALL) as (_, visit):
        statuses = [(await hand_over(visit, b"x")).status for _ in range(5)]
        assert statuses == [201, 201, 201, 201, 429]
    host.uploads_full = True
    async with visiting(host, SMALL) as (_, visit):
        answer = await hand_over(visit, b"x")
        assert (answer.status, await answer.text()) == (409, "Too many files wait to be sent.")


@pytest.mark.parametrize(
    ("mime", "given"),
    [
        ("image/png", "image/png"),
        ("image/svg+xml", "application/octet-stream"),
        ("text/html", "application/octet-stream"),
        ("application/pdf", "application/octet-stream"),
    ],
)
async def test_a_file_is_for_saving_and_never_a_page(host: MemoryHost, mime: str, given: str) -> None:
    host.uploads["f"] = Document(name='<b>"x"\r\nSet-Cookie: a=b ü.html', mime=mime, data=b"<script>")
    async with visiting(host, SMALL) as (_, visit), visit.session.get(f"{visit.url}/api/files/f") as answer:
        assert answer.status == 200
        assert answer.content_type == given
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="')
        assert "Set-Cookie" not in answer.headers
        assert await answer.read() == b"<script>"


async def test_a_file_nobody_may_see_is_not_there(host: MemoryHost) -> None:
    async with visiting(host, SMALL) as (_, visit), visit.session.get(f"{visit.url}/api/files/x") as answer:
        assert answer.status == 404


async def test_items_carry_their_files(host: MemoryHost) -> None:
    file = ItemFile(id="f", name="chart.png", mime="image/png", size=12)
    host.post("", files=(file,))
    async with visiting(host, SMALL) as (_, visit):
        answer = await visit.session.get(f"{visit.url}/api/rooms/main/history")
        (item,) = (await answer.json())["items"]
    assert item["files"] == [{"id": "f", "name": "chart.png", "mime": "image/png", "size": 12, "refused": ""}]
    with pytest.raises(NoSuchRoom):
        await host.keep("web:somebody", "main", Document(name="x", mime="", data=b"x"))
    assert OWNER not in item["author"]
