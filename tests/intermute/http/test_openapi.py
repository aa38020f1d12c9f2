"""The document describes what is served, and nothing else."""

import json

from intermute.service import Service
from tests.intermute.calling import Http


async def test_the_document_lists_every_path_that_is_served(http: Http, service: Service) -> None:
    answer = await http.get("/openapi.json")
    assert answer.status == 200
    assert answer["openapi"] == "3.1.0"
    assert "get" in answer["paths"]["/health"]
    assert answer["paths"]["/health"]["get"]["security"] == []


async def test_every_reference_in_the_document_leads_somewhere(http: Http) -> None:
    answer = await http.get("/openapi.json")
    schemas = answer["components"]["schemas"]
    text = json.dumps(answer.body)
    for reference in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert reference in schemas


async def test_the_document_is_open_to_those_without_a_key(http: Http) -> None:
    answer = await http.get("/openapi.json", headers={"X-Forwarded-For": "192.0.2.7"})
    assert answer.status == 200
