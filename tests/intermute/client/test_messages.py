"""Sending and reading by our client, over TCP and over a Unix socket."""

from pathlib import Path

from intermute.client import Client
from intermute.service import Service


async def test_a_message_arrives_and_is_counted_until_it_is_read(client: Client) -> None:
    sent = await client.messages.send("ann", ["bob"], "hello", subject="greeting", ack_required=True)
    page = await client.messages.inbox("bob")
    (message,) = page.messages
    assert (message.id, message.from_, message.to) == (sent.message_id, "ann", ("bob",))
    assert (message.subject, message.body, message.cursor) == ("greeting", "hello", sent.cursor)
    assert page.cursor == sent.cursor
    assert (await client.messages.counts("bob")).unread == 1
    await client.messages.read(sent.message_id, "bob")
    counts = await client.messages.counts("bob")
    assert (counts.total, counts.unread) == (1, 0)


async def test_what_waits_for_an_answer_is_found_until_it_is_acknowledged(client: Client) -> None:
    sent = await client.messages.send("ann", ["bob"], "please confirm", ack_required=True)
    (stale,) = await client.messages.stale_acks("bob", ttl_seconds=0)
    assert (stale.id, stale.kind, stale.read_at) == (sent.message_id, "to", None)
    await client.messages.ack(sent.message_id, "bob")
    assert await client.messages.stale_acks("bob", ttl_seconds=0) == ()


async def test_the_same_id_twice_arrives_once(client: Client) -> None:
    first = await client.messages.send("ann", ["bob"], "hello", id="m-1")
    assert await client.messages.send("ann", ["bob"], "hello", id="m-1") == first
    assert len((await client.messages.inbox("bob")).messages) == 1


async def test_pages_follow_one_another(client: Client) -> None:
    for number in range(5):
        await client.messages.send("ann", ["bob"], str(number))
    said, cursor = [], 0
    while (page := await client.messages.inbox("bob", cursor, limit=2)).messages:
        said.append([message.body for message in page.messages])
        cursor = page.cursor
    assert said == [["0", "1"], ["2", "3"], ["4"]]


async def test_conversations_and_topics_are_read(client: Client) -> None:
    await client.messages.send("ann", ["bob"], "first", thread_id="talk/1", topic="Build")
    await client.messages.send("bob", ["ann"], "second", thread_id="talk/1")
    (thread,) = (await client.messages.threads("ann")).threads
    assert (thread.thread_id, thread.message_count, thread.last_body) == ("talk/1", 2, "second")
    assert [each.body for each in (await client.messages.thread("talk/1")).messages] == ["first", "second"]
    assert [each.body for each in (await client.messages.topic("build")).messages] == ["first"]


async def test_messages_are_found_by_their_words(client: Client) -> None:
    for number in range(3):
        await client.messages.send("ann", ["bob"], f"the build number {number} is broken")
    await client.messages.send("ann", ["bob"], "all is well")
    newest = await client.messages.search("broken builds", limit=2)
    assert [each.body for each in newest.messages] == [f"the build number {n} is broken" for n in (2, 1)]
    older = await client.messages.search("broken builds", before=newest.cursor)
    assert [each.body for each in older.messages] == ["the build number 0 is broken"]
    assert (await client.messages.search("broken", agent="carol")).messages == ()


async def test_names_that_are_no_good_in_a_path_work(client: Client) -> None:
    name = "a b%2F?#é"
    await client.messages.send("ann", [name], "hello", id="id with spaces?")
    assert [each.id for each in (await client.messages.inbox(name)).messages] == ["id with spaces?"]
    await client.messages.read("id with spaces?", name)
    assert (await client.messages.counts(name)).unread == 0


async def test_over_a_unix_socket_it_is_the_same(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "intermute.sock"
    async with (
        service.serve(port=0, socket=path),
        Client.open(project="alpha", socket=str(path)) as client,
    ):
        assert await client.well()
        await client.messages.send("ann", ["bob"], "hello")
        assert [each.body for each in (await client.messages.inbox("bob")).messages] == ["hello"]
        async with client.events("bob", since=0) as events:
            assert (await anext(events)).type == "message.created"
