"""Fault 23 of the original: lists without pages. Ours are bounded, and lead on to the rest."""

from urllib.parse import parse_qsl

import pytest
from yarl import URL

from intermute.entities import store
from intermute.entities.kinds import SPEC
from intermute.entities.store import Entities
from intermute.events.journal import Journal
from storage.clock import Clock
from storage.database import Database
from storage.ids import NewId
from tests.clock import HandClock
from tests.intermute.calling import Answer, Http

PROJECT = "proj-test"


def following(answer: Answer) -> dict[str, str]:
    """The query of the next page, as the Link header has it."""
    target, _, relation = answer.headers["Link"].partition(">")
    assert relation == '; rel="next"'
    return dict(parse_qsl(URL(target.removeprefix("<")).raw_query_string))


async def everything(http: Http, path: str, **query: str | int) -> list[list[str]]:
    """The ids of all pages, by following them to the end."""
    pages = []
    given = {name: str(value) for name, value in query.items()}
    while True:
        answer = await http.get(path, **given)
        assert answer.status == 200
        pages.append([entity.get("id") or entity["feature_id"] for entity in answer.body])
        if "Link" not in answer.headers:
            assert "X-Next-Cursor" not in answer.headers
            return pages
        given = following(answer)
        assert given["cursor"] == answer.headers["X-Next-Cursor"]


@pytest.mark.parametrize("plural", ["specs", "insights", "cujs", "sessions"])
async def test_fault_23_pages_hold_every_entity_once_and_in_order(
    http: Http, plural: str, clock: HandClock
) -> None:
    for number in range(7):
        ranks = {"score": number % 3} if plural == "insights" else {"priority": ("low", "high")[number % 2]}
        await http.post(f"/api/{plural}", {"project": PROJECT, "id": f"n{number}", **ranks})
        await clock.advance(number % 2)  # some are of the same moment
    (whole,) = await everything(http, f"/api/{plural}", project=PROJECT)
    assert sorted(whole) == [f"n{number}" for number in range(7)]
    assert await everything(http, f"/api/{plural}", project=PROJECT, limit=3) == [
        whole[:3],
        whole[3:6],
        whole[6:],
    ]
    assert await everything(http, f"/api/{plural}", project=PROJECT, limit=7) == [whole]


async def test_fault_23_a_filter_goes_along_to_the_next_page(http: Http) -> None:
    for number in range(5):
        status = ("draft", "research")[number % 2]
        await http.post("/api/specs", {"project": PROJECT, "id": f"n{number}", "status": status})
    pages = await everything(http, "/api/specs", project=PROJECT, status="draft", limit=2)
    assert pages == [["n4", "n2"], ["n0"]]


async def test_fault_23_a_local_caller_pages_through_all_projects(http: Http) -> None:
    for project in ("a", "b", ""):
        for number in range(2):
            await http.post("/api/specs", {"project": project, "id": f"n{number}"})
    pages = await everything(http, "/api/specs", limit=4)
    assert [len(page) for page in pages] == [4, 2]
    assert sorted(name for page in pages for name in page) == ["n0"] * 3 + ["n1"] * 3


async def test_fault_23_links_of_a_journey_have_pages(http: Http) -> None:
    await http.post("/api/cujs", {"project": PROJECT, "id": "c ü"})
    for feature in ("d", "a ü", "c", "b"):
        await http.post("/api/cujs/c%20%C3%BC/link", {"feature_id": feature}, project=PROJECT)
    pages = await everything(http, "/api/cujs/c%20%C3%BC/links", project=PROJECT, limit=2)
    assert pages == [["a ü", "b"], ["c", "d"]]


@pytest.mark.parametrize("limit", ["0", "-1", "many", ""])
async def test_fault_23_a_limit_that_is_none_means_the_usual_one(http: Http, limit: str) -> None:
    for number in range(3):
        await http.post("/api/specs", {"project": PROJECT, "id": f"n{number}"})
    answer = await http.get("/api/specs", project=PROJECT, limit=limit)
    assert (answer.status, len(answer.body)) == (200, 3)


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "====",
        "é",
        "bnVsbA",
        "W10",
        "WzEsMiwzLDRd",
        "W05hTiwiMjAyNi0wMS0wMVQwMDowMDowMFoiLCJhIiwiYiJd",  # NaN for a rank
        "WzAuMCwiMjAyNi0wMS0wMVQwMDowMDowMFoiLCJcdTAwMDAiLCJiIl0",  # NUL in an id
        "WzAuMCwiMjAyNi0wMS0wMVQwMDowMDowMFoiLCJcdWQ4MDAiLCJiIl0",  # half a surrogate pair
        "WzAuMCwiOTk5OS0xMi0zMVQyMzo1OTo1OS0xMjowMCIsImEiLCJiIl0",  # a time that is none in UTC
    ],
)
async def test_fault_23_a_cursor_that_is_not_ours_is_refused(http: Http, cursor: str) -> None:
    await http.post("/api/specs", {"project": PROJECT, "id": "one"})
    answer = await http.get("/api/specs", project=PROJECT, cursor=cursor)
    assert (answer.status, answer["error"]) == (400, "invalid_cursor")


async def test_fault_23_a_page_stops_before_it_grows_too_large(
    database: Database, clock: Clock, new_id: NewId
) -> None:
    entities = Entities(database, Journal(database, clock), clock, new_id)
    members = {"title": "", "users": "", "problem": "", "status": "", "vision": "x" * 1_000_000}
    for _ in range(6):
        await entities.create(SPEC, PROJECT, members)
    first = await entities.page(SPEC, PROJECT, {}, limit=1000)
    assert first.after is not None
    second = await entities.page(SPEC, PROJECT, {}, limit=1000, after=first.after)
    assert (len(first.entities), len(second.entities), second.after) == (5, 1, None)
    assert store.MOST_BYTES < 5 * 1_000_000
    alone = await entities.page(SPEC, None, {}, limit=1)
    assert len(alone.entities) == 1


async def test_fault_23_an_entity_as_large_as_can_be_is_in_a_page_of_its_own(
    database: Database, clock: Clock, new_id: NewId
) -> None:
    entities = Entities(database, Journal(database, clock), clock, new_id)
    huge = {"title": "", "users": "", "problem": "", "status": "", "vision": "x" * (store.MOST_BYTES + 1)}
    for _ in range(2):
        await entities.create(SPEC, PROJECT, huge)
    first = await entities.page(SPEC, PROJECT, {}, limit=1000)
    assert (len(first.entities), first.after is None) == (1, False)
