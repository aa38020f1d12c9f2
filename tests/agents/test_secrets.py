"""The provider's key is nowhere an agent could look, and nothing but the key opens the provider's door."""

import json

import pytest

from container.agent import ModelApi, Runtime
from container.runtimes import PLACEHOLDER
from tests.agents.house import House, Lodger
from tests.container.scene import Listener
from tests.servers.models import KEY, Call, Refuse, Say

pytestmark = [pytest.mark.docker, pytest.mark.asyncio(loop_scope="module")]

#: prints where it finds the text that is cut in two here, so that it does not find itself
SEARCH = """
import os, pathlib, stat, sys
wanted = (%r + %r).encode()
looked = {"processes": 0, "files": 0}
def has(path):
    try:
        with open(path, "rb") as file:
            before = b""
            while piece := file.read(1 << 20):
                if wanted in before + piece:
                    return True
                before = piece[-len(wanted):]
    except OSError:
        pass
    return False
for process in pathlib.Path("/proc").glob("[0-9]*"):
    looked["processes"] += 1
    for name in ("environ", "cmdline"):
        if has(process / name):
            print("FOUND", process / name)
for top in ("/home", "/workspace", "/tmp", "/run", "/etc", "/var", "/opt/intercom", "/root", "/dev/shm"):
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            if stat.S_ISREG(os.lstat(path).st_mode):
                looked["files"] += 1
                if has(path):
                    print("FOUND", path)
print("looked at", looked["processes"], "processes and", looked["files"], "files")
"""

#: asks the model socket's forwarder as an agent would, and prints everything that comes back
REQUEST = """
import http.client
connection = http.client.HTTPConnection("127.0.0.1", 8181, timeout=10)
connection.request("POST", %r, %r, {"content-type": "application/json", "anthropic-version": "2023-06-01",
    "authorization": "Bearer mine", "x-api-key": "mine", "x-goog-api-key": "mine"})
answer = connection.getresponse()
print(answer.status, answer.getheaders(), answer.read().decode())
"""


def search(text: str) -> str:
    return SEARCH % (text[:5], text[5:])


def request(runtime: Runtime) -> tuple[str, str]:
    model = runtime.models[0]
    match runtime.api:
        case ModelApi.ANTHROPIC:
            said = [{"role": "user", "content": "hello"}]
            return "/anthropic/v1/messages", json.dumps({"model": model, "max_tokens": 99, "messages": said})
        case ModelApi.OPENAI:
            return "/openai/v1/responses", json.dumps({"model": model, "input": "hello"})
        case _:
            contents = [{"role": "user", "parts": [{"text": "hello"}]}]
            return f"/gemini/v1beta/models/{model}:generateContent", json.dumps({"contents": contents})


async def test_the_key_is_in_no_process_and_no_file(house: House, lodger: Lodger) -> None:
    house.models.then((Call("demarch_next_work"),), (Say("done"),))
    await lodger.agent.prompt("work, so that there is something to find", Listener())
    printed = await house.inside(lodger.agent, search(KEY))
    assert "FOUND" not in printed
    assert "looked at" in printed
    # The same search finds what is there: it would have found the key.
    assert "/environ" in await house.inside(lodger.agent, search(PLACEHOLDER))


async def test_the_key_is_neither_in_the_containers_settings_nor_in_its_log(
    house: House, lodger: Lodger
) -> None:
    container = lodger.agent.sandbox_id
    inspected = await house.engine.run(lambda client: json.dumps(client.inspect_container(container)))
    logged = await house.engine.run(lambda client: bytes(client.logs(container)).decode(errors="replace"))
    assert PLACEHOLDER in inspected
    assert KEY not in inspected
    assert KEY not in logged


async def test_the_placeholder_stays_inside_and_the_key_opens_every_door(
    house: House, lodger: Lodger
) -> None:
    await lodger.agent.prompt("hello", Listener())
    assert house.models.requests
    for asked in house.models.requests:
        credentials = {
            asked.headers.get("x-api-key"),
            asked.headers.get("x-goog-api-key"),
            asked.headers.get("authorization", "").removeprefix("Bearer "),
        } - {None, ""}
        assert credentials == {KEY}
    assert not house.models.seen(PLACEHOLDER)


async def test_what_comes_back_to_the_container_carries_no_key(
    house: House, lodger: Lodger, runtime: Runtime
) -> None:
    path, body = request(runtime)
    answered = await house.inside(lodger.agent, REQUEST % (path, body))
    assert answered.startswith("200 ")
    assert KEY not in answered
    assert "mine" not in house.models.requests[-1].everything
    house.models.refuse_asides(Refuse(status=401, message=f"{KEY} is not good here"))
    refused = await house.inside(lodger.agent, REQUEST % (path, body))
    assert refused.startswith("400 ")
    assert KEY not in refused


async def test_other_providers_and_other_routes_are_closed(
    house: House, lodger: Lodger, runtime: Runtime
) -> None:
    others = {
        "/anthropic/v1/messages",
        "/openai/v1/responses",
        "/gemini/v1beta/models/gemini-2.5-flash:generateContent",
        "/anthropic/v1/files",
        "/openai/v1/files",
        "/gemini/upload/v1beta/files",
        "/oauth/token",
    } - {request(runtime)[0]}
    others = {path for path in others if not (path.endswith(":generateContent") and runtime.name == "gemini")}
    for path in sorted(others):
        answered = await house.inside(lodger.agent, REQUEST % (path, "{}"))
        assert answered[:4] in {"404 ", "400 "}, (path, answered)
    assert house.models.requests == []
