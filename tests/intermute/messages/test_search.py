"""Messages are found by their words: those put down already and those sent a moment ago alike."""

import asyncio
from typing import Any

import pytest

from intermute.events.journal import Journal
from intermute.messages.indexer import PIECE, REST, Indexer
from intermute.messages.letter import Letter
from intermute.messages.postbox import Postbox
from intermute.messages.search import Search
from intermute.service import Service
from storage.database import Database
from tests.clock import HandClock
from tests.intermute.calling import Http


async def send(http: Http, body: str, **rest: Any) -> None:
    letter = {"project": "p", "from": "ana", "to": ["ben"], "body": body, **rest}
    assert (await http.post("/api/messages", letter)).status == 200


async def found(http: Http, q: str, **rest: Any) -> list[str]:
    answer = await http.get("/api/messages/search", **{"project": "p", "q": q, **rest})
    assert answer.status == 200, answer.text
    return [message["body"] for message in answer["messages"]]


@pytest.fixture(params=["put down", "young"])
async def down(request: pytest.FixtureRequest, service: Service) -> Any:
    """Puts all words down in one round of the tests and none in the other: what is found is the same."""

    async def put_down() -> None:
        if request.param == "put down":
            while await service.mailroom.indexer.put_down():
                pass

    return put_down


async def test_words_are_found_in_any_form_and_place(http: Http, down: Any) -> None:
    await send(http, "deploying the gateway")
    await send(http, "nothing", subject="Deploy of the database")
    await send(http, "the database is fine")
    await down()
    assert await found(http, "deploy") == ["nothing", "deploying the gateway"]
    assert await found(http, "DATABASES fine") == ["the database is fine"]
    assert await found(http, '"deploy of the database"') == ["nothing"]
    assert await found(http, "gateway or fine") == ["the database is fine", "deploying the gateway"]
    assert await found(http, "database -fine") == ["nothing"]
    assert await found(http, "unheard") == []


async def test_pages_go_from_the_newest_to_the_oldest(http: Http, down: Any) -> None:
    for number in range(3):
        await send(http, f"word {number}")
    await down()
    await send(http, "word 3")
    first = await http.get("/api/messages/search", project="p", q="word", limit=2)
    assert [message["body"] for message in first["messages"]] == ["word 3", "word 2"]
    assert await found(http, "word", limit=2, cursor=first["next_cursor"]) == ["word 1", "word 0"]
    assert await found(http, "word", cursor=1) == []


async def test_a_message_of_another_project_is_not_found(
    http: Http, alpha: Http, beta: Http, down: Any
) -> None:
    await send(http, "secret word", project="alpha")
    await send(http, "project=alpha 'alpha' word", project="beta")
    await down()
    assert await found(alpha, "word", project="") == ["secret word"]
    assert await found(beta, "secret or word", project="") == ["project=alpha 'alpha' word"]
    assert (await beta.get("/api/messages/search", project="alpha", q="word")).status == 403
    assert await found(http, "word", project="") == []


@pytest.mark.parametrize("project", ["it's", "back\\slash", "'", "\\'", "a & b | !c", ":*"])
async def test_a_project_may_have_any_name(http: Http, down: Any, project: str) -> None:
    await send(http, "word", project=project)
    await down()
    assert await found(http, "word", project=project) == ["word"]


async def test_only_what_an_agent_sent_or_got(http: Http, down: Any) -> None:
    await send(http, "word to cat", to=["cat"])
    await send(http, "word to dan", to=["eve"], bcc=["dan"])
    await send(http, "word of cat", **{"from": "cat"})
    await down()
    assert await found(http, "word", agent="cat") == ["word of cat", "word to cat"]
    assert await found(http, "word", agent="dan") == ["word to dan"]


async def test_blind_copies_of_a_container_are_not_found_by_others(http: Http) -> None:
    await send(http, "word", bcc=["intercom:office"])
    answer = await http.get("/api/messages/search", project="p", q="word", agent="intercom:office")
    assert (answer.status, answer["error"]) == (403, "agent_guarded")


async def test_newer_words_are_found_and_older_ones_are_not(http: Http, down: Any) -> None:
    await send(http, "copper", id="m-1")
    await down()
    await send(http, "silver", id="m-1")
    await down()
    assert await found(http, "silver") == ["silver"]
    assert await found(http, "copper") == []


@pytest.mark.parametrize("query", ["", " ", "the", "-", '""', "()", "&|!:*<->"])
async def test_a_query_without_a_word_is_refused(http: Http, query: str) -> None:
    answer = await http.get("/api/messages/search", project="p", q=query)
    assert (answer.status, answer["error"]) == (400, "empty_query")


@pytest.mark.parametrize("query", ["'", "\\", '"a', "a & | b", "a:*b", "<1000>", "\N{SNOWMAN} a", "a'b\\c"])
async def test_any_query_is_answered(http: Http, down: Any, query: str) -> None:
    await send(http, "a")
    await down()
    assert (await http.get("/api/messages/search", project="p", q=query)).status in (200, 400)


async def test_the_beginning_of_a_very_long_message_is_searched(http: Http, down: Any) -> None:
    await send(http, f"beginning {'word ' * 100_000} ending")
    await down()
    assert len(await found(http, "beginning")) == 1
    assert await found(http, "ending") == []


@pytest.mark.parametrize(
    "letters", ["\N{DESERET CAPITAL LETTER LONG I}\N{DESERET CAPITAL LETTER LONG E}", "ab", "\N{SNOWMAN}a"]
)
@pytest.mark.parametrize("shape", ["{} ", "{}-{} ", "http://{}.com/{} ", "{}@{}.org ", "{}/{}/{} "])
async def test_the_words_of_no_text_are_too_many(database: Database, letters: str, shape: str) -> None:
    names = ("".join(letters[int(bit)] for bit in f"{number:b}") for number in range(64_000))
    text = "".join(shape.replace("{}", name) for name in names)[:1_000_000]
    assert await database.fetchval("SELECT length(intermute.words_of('p', '', $1)) > 1000", text)


async def test_searches_that_take_long_leave_room_for_those_who_send(
    http: Http, database: Database, database_url: str
) -> None:
    await send(http, "word")
    async with (
        asyncio.timeout(20),
        Database.open(database_url, size=1) as other,
        asyncio.TaskGroup() as tasks,
        other.transaction() as conn,
    ):
        await conn.execute("LOCK TABLE intermute.words")
        searches = [tasks.create_task(found(http, "word")) for _ in range(8)]
        while not await conn.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110
            await asyncio.sleep(0)
        for number in range(10):
            await send(http, str(number))
        assert not any(search.done() for search in searches)
    assert [search.result() for search in searches] == [["word"]] * 8


async def test_a_search_that_takes_too_long_is_refused(http: Http, database_url: str) -> None:
    await send(http, "word")
    async with asyncio.timeout(20), Database.open(database_url, size=1) as other, other.transaction() as conn:
        await conn.execute("LOCK TABLE intermute.words")
        answer = await http.get("/api/messages/search", project="p", q="word")
    assert (answer.status, answer["error"]) == (400, "search_too_broad")


async def test_words_are_put_down_a_moment_after_the_message(
    http: Http, service: Service, clock: HandClock, database: Database
) -> None:
    await send(http, "word")
    await clock.until_sleeping(1)
    await clock.advance(REST * 2)
    async with asyncio.timeout(10):
        while not await database.fetchval("SELECT count(*) FROM intermute.words"):
            await clock.advance(REST)
    assert await found(http, "word") == ["word"]


async def test_words_of_many_messages_are_put_down_by_and_by(database: Database, clock: HandClock) -> None:
    journal = Journal(database, clock)
    postbox, indexer = Postbox(database, journal, clock), Indexer(database, journal, clock)
    async with asyncio.TaskGroup() as tasks:
        for number in range(PIECE * 2 + 1):
            letter = Letter(project="p", id=f"m-{number}", sender="ana", to=["ben"], body=f"word w{number}")
            tasks.create_task(postbox.post(letter))
    assert not await indexer.put_down(leaving=PIECE * 2 + 1)
    assert await indexer.put_down(leaving=PIECE)
    assert await database.fetchval("SELECT cursor FROM intermute.worded") == PIECE
    async with asyncio.TaskGroup() as tasks:  # as several processes would
        others = [tasks.create_task(Indexer(database, journal, clock).put_down()) for _ in range(4)]
    assert sum(other.result() for other in others) == 1
    assert await database.fetchval("SELECT count(*) FROM intermute.words") == PIECE * 2 + 1
    rows = await Search(database).page("p", "word", 0, 1000)
    assert len(rows) == PIECE * 2 + 1
