"""Reservations over HTTP: statuses, shapes, who may."""

import asyncio
import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from intermute.limits import Limits
from tests.clock import HandClock
from tests.intermute.calling import Answer, Http

PATH = "/api/reservations"
IN_ORDER = {"project": "p", "agent_id": "ada", "path_pattern": "src/*.py", "exclusive": True}


@pytest.fixture
def limits() -> Limits:
    return Limits(reservations=10, waiting=2)


async def reserve(http: Http, agent: str, pattern: str, **more: object) -> Answer:
    body = {"project": "p", "agent_id": agent, "path_pattern": pattern, "exclusive": True, **more}
    return await http.post(PATH, body)


async def fence(http: Http, path: str, token: object, project: str = "p") -> Answer:
    return await http.get(f"{PATH}/fence?{urlencode({'project': project, 'path': path, 'token': token})}")


async def test_fault_01_creating_answers_200_to_who_sends_an_id_and_201_to_everybody_else(http: Http) -> None:
    plain = await http.post(PATH, IN_ORDER)
    assert plain.status == 201
    sdk = {**IN_ORDER, "id": "", "path_pattern": "lib/*.py", "created_at": "0001-01-01T00:00:00Z"}
    of_the_sdk = await http.post(PATH, sdk)
    assert of_the_sdk.status == 200
    assert of_the_sdk["id"]
    gone = await http.request("DELETE", f"{PATH}/{of_the_sdk['id']}")
    assert (gone.status, gone.text) == (200, "")


async def test_a_reservation_is_told_as_the_original_does_and_with_its_token(http: Http) -> None:
    made = (await reserve(http, "ada", "src/*.py", reason="refactoring", ttl_minutes=5)).body
    token = made.pop("token")
    assert made.pop("id")
    assert made == {
        "agent_id": "ada",
        "held_by": "ada",
        "project": "p",
        "path_pattern": "src/*.py",
        "exclusive": True,
        "reason": "refactoring",
        "created_at": "2026-01-05T09:00:00Z",
        "expires_at": "2026-01-05T09:05:00Z",
        "is_active": True,
    }
    assert isinstance(token, int)
    assert token > 0


async def test_what_is_missing_or_wrong_is_a_bad_request(http: Http) -> None:
    for wrong in (
        {"agent_id": ""},
        {"path_pattern": ""},
        {"exclusive": "yes"},
        {"ttl_minutes": "5"},
        {"shared": True},
        {"patterns": ["a"] * 101},
        {"patterns": [f"{number}" + "a" * 4000 for number in range(9)]},
        {"path_pattern": 5},
        {"id": "check"},
        {"id": "a/b"},
    ):
        assert (await http.post(PATH, {**IN_ORDER, **wrong})).status == 400, wrong
    assert (await http.post(PATH, IN_ORDER)).status == 201


@pytest.mark.parametrize("pattern", ["[a-", "/", "{a", "a/../b", "a" * 4097, "*" * 257, " "])
async def test_fault_04_a_pattern_that_cannot_be_read_is_a_bad_request_not_a_failure(
    http: Http, pattern: str
) -> None:
    for answer in (
        await reserve(http, "ada", pattern),
        await http.get(f"{PATH}/check", project="p", pattern=pattern),
        await fence(http, pattern, 1),
    ):
        assert (answer.status, answer["error"]) == (400, "invalid_pattern")


async def test_fault_04_a_long_plain_path_and_a_long_lifetime_are_taken(http: Http) -> None:
    path = "src/components/dashboard/widgets/UserActivityTimeline/index.test.tsx"
    made = await reserve(http, "ada", path, ttl_minutes=10**30)
    assert made.status == 201
    assert made["expires_at"] == "2026-01-06T09:00:00Z"
    assert (await reserve(http, "ada", "deep/" * 819, ttl_minutes=-1))["expires_at"] == "2026-01-05T09:30:00Z"


async def test_fault_04_the_eleventh_reservation_is_too_many_and_says_so(http: Http) -> None:
    for number in range(10):
        assert (await reserve(http, "ada", f"{number}.py")).status == 201
    refused = await reserve(http, "ada", "10.py")
    assert refused.status == 429
    assert (refused["error"], refused["reason"]) == ("reservation_limit", "reservation_limit")
    assert (refused["limit"], refused["active"]) == (10, 10)
    assert (await reserve(http, "bob", "10.py")).status == 201


async def test_a_conflict_names_the_holder_the_reason_and_the_time_left(http: Http) -> None:
    await http.post("/api/agents", {"id": "ada", "name": "Ada the Careful", "project": "p"})
    held = await reserve(http, "ada", "src/**", reason="moving files", ttl_minutes=10)
    refused = await reserve(http, "bob", "src/a.py")
    assert refused.status == 409
    assert refused["error"] == "reservation_conflict"
    assert "Ada the Careful" in refused["message"]
    assert refused["conflicts"] == [
        {
            "reservation_id": held["id"],
            "agent_id": "ada",
            "held_by": "Ada the Careful",
            "pattern": "src/**",
            "reason": "moving files",
            "expires_at": "2026-01-05T09:10:00Z",
            "expires_in_seconds": 600,
            "exclusive": True,
            "requested": "src/a.py",
        }
    ]


async def test_shared_goes_with_shared_only_and_is_the_default(http: Http) -> None:
    first = await http.post(PATH, {"project": "p", "agent_id": "ada", "path_pattern": "a"})
    assert (first.status, first["exclusive"]) == (201, False)
    assert (await reserve(http, "bob", "a", exclusive=False)).status == 201
    assert (await reserve(http, "eve", "a")).status == 409
    assert (await http.post(PATH, {**IN_ORDER, "project": "q", "path_pattern": "a"})).status == 201


async def test_several_patterns_are_reserved_together_or_not_at_all(http: Http) -> None:
    await reserve(http, "eve", "lib/x.py")
    names = {"project": "p", "agent": "ada", "shared": False}
    refused = await http.post(PATH, {**names, "path": "src/a.py", "glob_patterns": ["doc/*", "lib/*"]})
    assert refused.status == 409
    assert [conflict["requested"] for conflict in refused["conflicts"]] == ["lib/*"]
    assert [one["agent_id"] for one in (await http.get(PATH, project="p"))["reservations"]] == ["eve"]
    made = await http.post(
        PATH, {**names, "path": "src/a.py", "patterns": ["doc/*"], "glob_patterns": ["*.md"]}
    )
    assert made.status == 201
    assert [one["path_pattern"] for one in made["reservations"]] == ["src/a.py", "doc/*", "*.md"]
    assert made["path_pattern"] == "src/a.py"
    tokens = [one["token"] for one in made["reservations"]]
    assert tokens == sorted(set(tokens))


async def test_a_retry_with_the_same_id_is_answered_with_the_same_reservations(http: Http) -> None:
    asked = {**IN_ORDER, "id": "mine", "patterns": ["lib/*"]}
    first, again = await http.post(PATH, asked), await http.post(PATH, asked)
    assert (first.status, again.status) == (200, 200)
    assert first.body == again.body
    assert [one["id"] for one in again["reservations"]] == ["mine", "mine.2"]
    for other in ({"agent_id": "bob"}, {"patterns": ["doc/*"]}, {"project": "q"}):
        refused = await http.post(PATH, {**asked, **other})
        assert (refused.status, refused["error"]) == (409, "reservation_id_taken"), other


async def test_lists_are_of_a_project_or_of_an_agent_and_have_pages(http: Http, clock: HandClock) -> None:
    made = [await reserve(http, "ada", f"{number}.py") for number in range(4)]
    await http.request("DELETE", f"{PATH}/{made[0]['id']}")
    await reserve(http, "ada", "x.py", project="q")
    assert (await http.get(PATH)).status == 400
    page = (await http.get(PATH, project="p", limit=2)).body
    assert [one["path_pattern"] for one in page["reservations"]] == ["3.py", "2.py"]
    assert page["more"] is True
    rest = (await http.get(PATH, project="p", limit=2, cursor=page["cursor"])).body
    assert [one["path_pattern"] for one in rest["reservations"]] == ["1.py"]
    assert rest["more"] is False
    of_ada = (await http.get(PATH, agent="ada", project="p"))["reservations"]
    assert [one["path_pattern"] for one in of_ada] == ["x.py", "3.py", "2.py", "1.py", "0.py"]
    assert of_ada[-1]["is_active"] is False
    assert of_ada[-1]["released_at"] == "2026-01-05T09:00:00Z"
    assert of_ada[-1]["ended"] == "released"


async def test_fault_19_check_leaves_out_what_the_caller_holds(http: Http) -> None:
    await reserve(http, "ada", "src/**")
    check = {"project": "p", "pattern": "src/a.py"}
    others = await http.get(f"{PATH}/check", **check)
    assert [conflict["agent_id"] for conflict in others["conflicts"]] == ["ada"]
    assert (await http.get(f"{PATH}/check", **check, agent="ada"))["conflicts"] is None
    by_header = await http.get(f"{PATH}/check", **check, headers={"X-Agent-ID": "ada"})
    assert by_header["conflicts"] is None
    assert (await http.get(f"{PATH}/check", project="p", pattern="doc/a"))["conflicts"] is None
    assert (await http.get(f"{PATH}/check", project="p")).status == 400
    assert (await http.get(f"{PATH}/check", pattern="a")).status == 400


async def test_check_is_exclusive_unless_it_says_false(http: Http) -> None:
    await reserve(http, "ada", "a", exclusive=False)
    for word, conflicts in (("true", 1), ("no", 1), ("false", 0)):
        found = (await http.get(f"{PATH}/check", project="p", pattern="a", exclusive=word))["conflicts"]
        assert len(found or []) == conflicts, word


async def test_only_the_holder_gives_back_when_it_says_who_it_is(http: Http) -> None:
    made = await reserve(http, "ada", "a")
    path = f"{PATH}/{made['id']}"
    wrong = await http.request("DELETE", path, headers={"X-Agent-ID": "bob"})
    assert (wrong.status, wrong["error"]) == (403, "not_the_holder")
    assert (await http.request("DELETE", path, headers={"X-Agent-ID": "ada"})).status == 200
    assert (await http.request("DELETE", path, headers={"X-Agent-ID": "ada"})).status == 404
    assert (await http.request("DELETE", f"{PATH}/does-not-exist")).status == 404
    assert (await http.get(path))["is_active"] is False
    assert (await http.get(f"{PATH}/does-not-exist")).status == 404


async def test_a_key_reaches_the_reservations_of_its_own_project_only(alpha: Http, beta: Http) -> None:
    made = await reserve(alpha, "ada", "a", project="")
    assert made["project"] == "alpha"
    assert (await reserve(beta, "bob", "a", project="alpha")).status == 403
    assert (await beta.get(PATH, project="alpha")).status == 403
    assert (await beta.get(PATH, agent="ada"))["reservations"] == []
    assert (await beta.get(f"{PATH}/check", project="alpha", pattern="a")).status == 403
    assert (await fence(beta, "a", 1, project="alpha")).status == 403
    path = f"{PATH}/{made['id']}"
    assert (await beta.get(path)).status == 404
    assert (await beta.request("DELETE", path)).status == 404
    assert (await beta.post(f"{path}/renew")).status == 404
    assert (await beta.post(f"{path}/transfer", {"agent_id": "bob"})).status == 404
    assert (await alpha.get(f"{PATH}/check", pattern="a"))["conflicts"][0]["agent_id"] == "ada"
    assert (await alpha.request("DELETE", path)).status == 200


async def test_a_guarded_holder_is_spoken_for_by_nobody_else(http: Http) -> None:
    refused = await reserve(http, "intercom:work", "a")
    assert (refused.status, refused["error"]) == (403, "agent_guarded")


async def test_renewing_counts_from_now(http: Http, clock: HandClock) -> None:
    made = await reserve(http, "ada", "a", ttl_minutes=10)
    path = f"{PATH}/{made['id']}/renew"
    await clock.advance(300)
    renewed = await http.post(path, {"ttl_minutes": 10})
    assert (renewed.status, renewed["expires_at"]) == (200, "2026-01-05T09:15:00Z")
    assert renewed["token"] == made["token"]
    assert (await http.post(path))["expires_at"] == "2026-01-05T09:35:00Z"
    assert (await http.post(path, headers={"X-Agent-ID": "bob"})).status == 403
    await clock.advance(timedelta(hours=1).total_seconds())
    over = await http.post(path)
    assert (over.status, over["error"]) == (409, "reservation_ended")


async def test_handing_on_makes_a_new_reservation_with_a_greater_token(http: Http) -> None:
    made = await reserve(http, "ada", "src/a.py", reason="half done", ttl_minutes=10)
    path = f"{PATH}/{made['id']}"
    assert (await http.post(f"{path}/transfer", {"agent_id": ""})).status == 400
    forced = await http.post(f"{path}/transfer", {"agent_id": "intercom:work"})
    assert (forced.status, forced["error"]) == (403, "agent_guarded")
    handed = await http.post(f"{path}/transfer", {"agent_id": "bob"})
    assert handed.status == 200
    assert (handed["agent_id"], handed["reason"], handed["expires_at"]) == (
        "bob",
        "half done",
        made["expires_at"],
    )
    assert handed["token"] > made["token"]
    assert (await http.get(path))["ended"] == "transferred"
    assert (await http.post(f"{path}/transfer", {"agent_id": "eve"})).status == 409
    old = await fence(http, "src/a.py", made["token"])
    assert (old["valid"], old["reason"], old["latest_token"]) == (False, "ended", handed["token"])
    new = await fence(http, "src/a.py", handed["token"])
    assert (new["valid"], new["reservation"]["agent_id"]) == (True, "bob")


async def test_what_the_old_holder_keeps_is_not_handed_on_into(http: Http) -> None:
    await reserve(http, "ada", "src/**")
    made = await reserve(http, "ada", "src/a.py")
    refused = await http.post(f"{PATH}/{made['id']}/transfer", {"agent_id": "bob"})
    assert (refused.status, refused["error"]) == (409, "reservation_conflict")
    assert (await http.get(f"{PATH}/{made['id']}"))["is_active"] is True


async def test_a_token_is_good_for_its_own_paths_only(http: Http) -> None:
    made = await reserve(http, "ada", "src/**")
    assert (await fence(http, "src/x", made["token"]))["valid"] is True
    assert (await fence(http, "lib/x", made["token"]))["reason"] == "elsewhere"
    for more in ("**", "*", "src*/x"):
        assert (await fence(http, more, made["token"]))["reason"] == "elsewhere", "it holds a part of that"
    unknown = await fence(http, "src/x", 10**12)
    assert (unknown["valid"], unknown["reason"], unknown["reservation"]) == (False, "unknown", None)
    assert (await fence(http, "src/x", "x")).status == 400


async def test_waiting_ends_in_a_reservation_of_the_same_id(http: Http) -> None:
    held = await reserve(http, "ada", "src/**")
    waiting = await reserve(http, "bob", "src/a.py", wait=True, reason="next")
    assert waiting.status == 202
    assert (waiting["waiting"], waiting["place"], waiting["patterns"]) == (True, 1, ["src/a.py"])
    assert waiting["expires_at"] == "2026-01-05T09:30:00Z"
    assert waiting["conflicts"][0]["reservation_id"] == held["id"]
    path = f"{PATH}/waiting/{waiting['id']}"
    assert (await http.get(path))["place"] == 1
    line = (await http.get(f"{PATH}/waiting", project="p"))["waiting"]
    assert [place["id"] for place in line] == [waiting["id"]]
    await http.request("DELETE", f"{PATH}/{held['id']}")
    granted = await http.get(f"{PATH}/{waiting['id']}")
    assert (granted["agent_id"], granted["is_active"], granted["reason"]) == ("bob", True, "next")
    assert (await http.get(path)).status == 404


async def test_fault_23_the_line_has_pages(http: Http) -> None:
    await reserve(http, "ada", "a")
    for name in ("bob", "cat", "dan", "eve", "fay"):
        assert (await reserve(http, name, "a", wait=True)).status == 202
    seen, page = [], await http.get(f"{PATH}/waiting", project="p", limit=2)
    while page["waiting"]:
        seen.append([(each["agent_id"], each["place"]) for each in page["waiting"]])
        assert page["more"] is (len(seen) < 3)
        page = await http.get(f"{PATH}/waiting", project="p", limit=2, cursor=page["cursor"])
    assert seen == [[("bob", 1), ("cat", 2)], [("dan", 3), ("eve", 4)], [("fay", 5)]]


async def test_a_place_in_line_is_given_up_by_who_has_it(http: Http) -> None:
    await reserve(http, "ada", "a")
    waiting = await reserve(http, "bob", "a", wait_seconds=60)
    path = f"{PATH}/waiting/{waiting['id']}"
    assert (await http.request("DELETE", path, headers={"X-Agent-ID": "eve"})).status == 403
    assert (await http.request("DELETE", path, headers={"X-Agent-ID": "bob"})).status == 200
    assert (await http.request("DELETE", path)).status == 404
    assert (await http.get(f"{PATH}/waiting", project="p"))["waiting"] == []
    assert (await http.get(f"{PATH}/waiting")).status == 400


async def test_an_agent_has_so_many_places_in_line(http: Http) -> None:
    await reserve(http, "ada", "src/**")
    for number in range(2):
        assert (await reserve(http, "bob", f"src/{number}", wait=True)).status == 202
    refused = await reserve(http, "bob", "src/2", wait=True)
    assert (refused.status, refused["error"]) == (429, "waiting_limit")


async def test_deleting_an_agent_gives_back_what_it_holds(http: Http) -> None:
    await http.post("/api/agents", {"id": "ada", "name": "Ada", "project": "p"})
    await reserve(http, "ada", "a")
    assert (await http.request("DELETE", "/api/agents/ada")).status in (200, 204)
    assert (await http.get(PATH, project="p"))["reservations"] == []


async def test_the_one_who_waits_hears_that_it_is_served(http: Http) -> None:
    held = await reserve(http, "ada", "a")
    waiting = await reserve(http, "bob", "a", wait=True)
    address = http.url.replace("http", "ws") + "/ws/agents/bob?project=p"
    async with asyncio.timeout(10), http.session.ws_connect(address) as socket:
        await http.request("DELETE", f"{PATH}/{held['id']}")
        released, granted = [json.loads(await socket.receive_str()) for _ in range(2)]
    assert (released["type"], released["agent_id"]) == ("reservation.released", "ada")
    assert (granted["type"], granted["agent_id"]) == ("reservation.granted", "bob")
    assert granted["reservation_id"] == granted["waiting_id"] == waiting["id"]
    assert granted["cursor"] == (await http.get(f"{PATH}/{waiting['id']}"))["token"]


async def test_bombs_that_are_held_do_not_stop_the_service(http: Http) -> None:
    bombs = ("*a" * 255 + "/x", "{a,b}" * 250 + "*/x", "**/a*/" * 80 + "x", "*" + "ab" * 1000 + "*")
    for number, bomb in enumerate(bombs):
        assert (await reserve(http, f"bomber{number}", bomb)).status in (201, 409)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        checks = [
            tasks.create_task(http.get(f"{PATH}/check", project="p", pattern="*b" * 250 + "/[xy]"))
            for _ in range(4)
        ]
        for _ in range(10):
            assert (await http.get("/health")).status == 200
    assert {check.result().status for check in checks} == {200}
