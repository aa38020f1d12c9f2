"""Paths lead to one row, with decoded parameters."""

import pytest

from intermute.errors import InvalidRequest, NotFound
from intermute.http.routes import Routes, WrongMethod


@pytest.fixture
def routes() -> Routes[str]:
    routes: Routes[str] = Routes()
    for method, path in (
        ("GET", "/api/agents"),
        ("POST", "/api/agents"),
        ("GET", "/api/agents/presence"),
        ("GET", "/api/agents/{id}"),
        ("DELETE", "/api/agents/{id}"),
        ("POST", "/api/agents/{id}/heartbeat"),
        ("GET", "/api/topics/{project}/{topic...}"),
        ("GET", "/api/threads/{thread:.+}"),
    ):
        routes.add(method, path, f"{method} {path}")
    return routes


@pytest.mark.parametrize(
    ("path", "target", "values"),
    [
        ("/api/agents", "/api/agents", {}),
        ("/api/agents/presence", "/api/agents/presence", {}),
        ("/api/agents/ann", "/api/agents/{id}", {"id": "ann"}),
        ("/api/agents/a%2Fb", "/api/agents/{id}", {"id": "a/b"}),
        ("/api/agents/%C3%A9", "/api/agents/{id}", {"id": "é"}),
        ("/api/agents/a+b", "/api/agents/{id}", {"id": "a+b"}),
        ("/api/topics/p/a/b", "/api/topics/{project}/{topic...}", {"project": "p", "topic": "a/b"}),
        ("/api/threads/x%20y", "/api/threads/{thread:.+}", {"thread": "x y"}),
    ],
)
def test_a_path_leads_to_its_row(routes: Routes[str], path: str, target: str, values: dict[str, str]) -> None:
    assert routes.find("GET", path) == (f"GET {target}", values)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/agents", ("GET", "POST")),
        ("/api/agents/ann", ("DELETE", "GET")),
        ("/api/agents/presence", ("GET",)),
    ],
)
def test_a_wrong_method_names_the_right_ones(
    routes: Routes[str], path: str, allowed: tuple[str, ...]
) -> None:
    with pytest.raises(WrongMethod) as refused:
        routes.find("PUT", path)
    assert refused.value.allowed == allowed


@pytest.mark.parametrize("path", ["/", "/api", "/api/agents/x/y/z", "/api/AGENTS", "//api/agents", "*"])
def test_other_paths_lead_nowhere(routes: Routes[str], path: str) -> None:
    with pytest.raises(NotFound):
        routes.find("GET", path)


@pytest.mark.parametrize(
    "path",
    ["/api/agents/", "/api/agents/%20", "/api/agents/%00", "/api/agents/%ff", "/api/agents/" + "x" * 1001],
)
def test_parts_that_name_nothing_are_refused(routes: Routes[str], path: str) -> None:
    with pytest.raises(InvalidRequest):
        routes.find("GET", path)


def test_two_rows_for_the_same_path_are_a_mistake(routes: Routes[str]) -> None:
    with pytest.raises(ValueError, match="served twice"):
        routes.add("GET", "/api/agents/{name}", "other")
