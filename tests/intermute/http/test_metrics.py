"""`/metrics`: what Prometheus reads, and nothing that names anybody."""

import asyncio

from prometheus_client.parser import text_string_to_metric_families

from intermute.http.metrics import Meters
from intermute.service import Service
from tests.intermute.calling import Http


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def labelled(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


async def test_requests_are_counted_by_path_and_status(http: Http) -> None:
    for _ in range(3):
        await http.get("/api/agents/nobody")
    await http.get("/api/nothing")
    answer = await http.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    found = samples(answer.text)
    path = "/api/agents/{id}"
    assert found[labelled("intermute_requests_total", method="GET", path=path, status="404")] == 3
    assert found[labelled("intermute_requests_total", method="", path="", status="404")] == 1
    assert found[labelled("intermute_request_seconds_count", method="GET", path=path)] == 3


async def test_the_numbers_of_the_service_are_there(http: Http) -> None:
    await http.post("/api/messages", {"project": "p", "from": "ann", "to": ["bob"], "body": "x"})
    found = samples((await http.get("/metrics")).text)
    assert found[labelled("intermute_connections")] >= 1
    assert found[labelled("intermute_requests_under_way")] == 1
    assert found[labelled("intermute_breaker_open")] == 0
    assert found[labelled("intermute_storage_faults_total")] == 0


async def test_nobody_is_named(http: Http, service: Service) -> None:
    await http.post("/api/agents", {"id": "zaphod", "name": "Zaphod", "project": "heart-of-gold"})
    await http.get("/api/agents/zaphod")
    text = service.metrics_text().decode()
    assert "zaphod" not in text
    assert "heart-of-gold" not in text


async def test_how_long_somebody_listened_is_not_how_long_an_answer_took(http: Http) -> None:
    async with http.session.ws_connect(http.url + "/ws/events?project=p"):
        pass
    async with asyncio.timeout(10):
        asked = labelled("intermute_requests_total", method="GET", path="/ws/events", status="101")
        while asked not in (found := samples((await http.get("/metrics")).text)):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    assert labelled("intermute_request_seconds_count", method="GET", path="/ws/events") not in found


def test_durations_are_cumulative() -> None:
    meters = Meters()
    route = meters.route("GET", "/x")
    for seconds in (0.0005, 0.003, 0.003, 99.0):
        route.answered(200, seconds)
    found = samples(meters.text().decode())
    at = {
        bound: found[labelled("intermute_request_seconds_bucket", method="GET", path="/x", le=bound)]
        for bound in ("0.001", "0.005", "10.0", "+Inf")
    }
    assert at == {"0.001": 1, "0.005": 3, "10.0": 3, "+Inf": 4}
