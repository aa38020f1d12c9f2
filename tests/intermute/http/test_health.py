"""`/health`: open, quick, GET only."""

from tests.intermute.calling import Http


async def test_says_ok_while_the_database_answers(http: Http) -> None:
    answer = await http.get("/health")
    assert (answer.status, answer.text) == (200, '{"status":"ok"}\n')


async def test_refuses_other_methods_naming_the_right_one(http: Http) -> None:
    answer = await http.post("/health")
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET"
    assert answer["error"] == "method_not_allowed"
