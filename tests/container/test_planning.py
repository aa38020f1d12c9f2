"""What a sandbox is started with, read off the plan."""

import asyncio
from pathlib import Path

import pytest

from container.agent import Fittings, Runtime
from container.planning import EGRESS_SOCKET, HOME, MODEL_SOCKET, USER, plan, user_inside
from container.sandbox import Limits, Mount

RUNTIME = Runtime(
    name="x",
    image="image:1",
    command=("agent", "--acp"),
    environment={"A": "b"},
    models=("large", "small"),
    model_variable="MODEL",
)


@pytest.mark.parametrize(("chosen", "expected"), [("", "large"), ("small", "small"), ("own", "own")])
def test_the_model_is_named_in_the_environment(chosen: str, expected: str) -> None:
    spec = plan("g", RUNTIME, Path("/s"), fittings=Fittings(model=chosen))
    assert spec.environment == {"A": "b", "MODEL": expected}


def test_an_agent_without_a_variable_or_a_catalogue_is_told_no_model() -> None:
    silent = Runtime(name="x", image="", command=("x",), models=("large",))
    assert plan("g", silent, Path("/s"), fittings=Fittings(model="large")).environment == {}
    unknown = Runtime(name="x", image="", command=("x",), model_variable="MODEL")
    assert plan("g", unknown, Path("/s")).environment == {}


def test_a_way_out_is_named_only_where_there_is_one() -> None:
    shut = plan("g", RUNTIME, Path("/s"), fittings=Fittings(services={MODEL_SOCKET: asyncio.Protocol}))
    assert "HTTPS_PROXY" not in shut.environment
    open_ = plan("g", RUNTIME, Path("/s"), fittings=Fittings(services={EGRESS_SOCKET: asyncio.Protocol}))
    assert open_.environment["HTTPS_PROXY"] == "http://127.0.0.1:8182"
    assert open_.environment["NO_PROXY"] == "127.0.0.1,localhost"


@pytest.mark.parametrize(("allowed", "needed", "expected"), [(1, 2, 2), (3, 2, 3), (3, 0, 3)])
def test_a_runtime_has_the_memory_it_needs(allowed: int, needed: int, expected: int) -> None:
    runtime = Runtime(name="x", image="", command=("x",), memory_bytes=needed)
    spec = plan("g", runtime, Path("/s"), Limits(memory_bytes=allowed, pids=7))
    assert (spec.limits.memory_bytes, spec.limits.pids) == (expected, 7)


@pytest.mark.parametrize(("allowed", "needed", "expected"), [(1.0, 2.0, 2.0), (3.0, 2.0, 3.0)])
def test_a_runtime_has_the_processors_it_needs(allowed: float, needed: float, expected: float) -> None:
    runtime = Runtime(name="x", image="", command=("x",), cpus=needed)
    assert plan("g", runtime, Path("/s"), Limits(cpus=allowed)).limits.cpus == expected


def test_mounts_and_home_and_user_are_as_they_were_given() -> None:
    mount = Mount(source=Path("/home/x/groups/main"), target="/workspace/group", writable=True)
    spec = plan("g", RUNTIME, Path("/s"), fittings=Fittings(mounts=(mount,)), user=(1000, 100))
    assert (spec.mounts, spec.home, spec.user) == ((mount,), HOME, (1000, 100))


def test_nobody_is_root_inside() -> None:
    assert user_inside(0, 0) == (USER, USER)
    assert user_inside(1000, 100) == (1000, 100)
