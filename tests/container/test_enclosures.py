"""Files in a prompt, as the agent takes them."""

import base64
from typing import Any

import pytest

from container.agent import Enclosure, StopReason
from container.enclosures import LONGEST_TEXT, MOST_INLINE
from tests.container.peer import talking
from tests.container.scene import Listener

PICTURE = Enclosure(name="a b.png", mime="image/png", place="/workspace/group/inbox/a b.png", data=b"\x89PNG")
VOICE = Enclosure(name="v.ogg", mime="audio/ogg", place="/workspace/group/inbox/v.ogg", data=b"OggS")
NOTES = Enclosure(name="n.md", mime="text/markdown", place="/workspace/group/inbox/n.md", data="# ä".encode())
URI = "file:///workspace/group/inbox/"
ALL = {"image": True, "audio": True, "embeddedContext": True}


async def sent(*enclosures: Enclosure, **takes: bool) -> list[dict[str, Any]]:
    """The content of a prompt with these, without its text."""
    async with talking(promptCapabilities=takes) as (conversation, peer, group):
        turn = group.create_task(conversation.prompt("look", Listener(), enclosures))
        asked = await peer.hear()
        peer.say(id=asked["id"], result={"stopReason": "end_turn"})
        assert await turn is StopReason.END
    content: list[dict[str, Any]] = asked["params"]["prompt"]
    first, *rest = content
    assert first == {"type": "text", "text": "look"}
    return rest


async def test_pictures_and_voice_and_texts_go_inside_where_they_are_taken() -> None:
    picture, voice, notes = await sent(PICTURE, VOICE, NOTES, **ALL)
    assert picture["type"] == "image"
    assert picture["mimeType"] == "image/png"
    assert base64.b64decode(picture["data"]) == PICTURE.data
    assert picture["uri"] == f"{URI}a%20b.png"
    assert (voice["type"], base64.b64decode(voice["data"])) == ("audio", VOICE.data)
    assert notes["type"] == "resource"
    assert notes["resource"] == {"uri": f"{URI}n.md", "mimeType": "text/markdown", "text": "# ä"}


async def test_what_an_agent_does_not_take_is_linked() -> None:
    links = await sent(PICTURE, VOICE, NOTES)
    assert {link["type"] for link in links} == {"resource_link"}
    assert links[0]["uri"] == f"{URI}a%20b.png"
    assert (links[0]["name"], links[0]["mimeType"], links[0]["size"]) == ("a b.png", "image/png", 4)


@pytest.mark.parametrize(
    "enclosure",
    [
        Enclosure(name="x.pdf", mime="application/pdf", place="/x", data=b"%PDF"),
        Enclosure(name="x.txt", mime="text/plain", place="/x", data=b"\xff\xfe"),
        Enclosure(name="x.txt", mime="text/plain", place="/x", data=b"x" * (LONGEST_TEXT + 1)),
        Enclosure(name="x.png", mime="image/png", place="/x", data=b"x" * (MOST_INLINE + 1)),
        Enclosure(name="x.png", mime="image/png", place="/x"),
        Enclosure(name="x", mime="", place="/x", data=b"x"),
    ],
)
async def test_what_does_not_fit_inside_is_linked(enclosure: Enclosure) -> None:
    [link] = await sent(enclosure, **ALL)
    assert (link["type"], link["uri"]) == ("resource_link", "file:///x")


async def test_a_prompt_holds_so_much_and_the_rest_is_linked() -> None:
    large = Enclosure(name="x.png", mime="image/png", place="/x", data=b"x" * MOST_INLINE)
    kinds = [block["type"] for block in await sent(*[large] * 5, **ALL)]
    assert kinds == ["image", "image", "image", "resource_link", "resource_link"]
