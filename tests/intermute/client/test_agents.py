"""Agents by our client: coming in, being found, deciding who may write."""

import pytest

from intermute.client import Client, Missing, PolicyDenied


async def test_an_agent_comes_in_and_is_found_by_what_it_can_do(client: Client) -> None:
    ann = await client.agents.register("Ann", id="ann", capabilities=["go", "review"], metadata={"repo": "x"})
    assert ann.agent_id == "ann"
    assert ann.token
    named = await client.agents.register()
    assert named.name
    await client.agents.heartbeat("ann", "at-prompt")
    assert {agent.agent_id for agent in await client.agents.list()} == {"ann", named.agent_id}
    (found,) = await client.agents.discover(["review"])
    assert (found.name, found.metadata, found.token) == ("Ann", {"repo": "x"}, "")
    described = await client.agents.describe("ann", {"objective": "tests"})
    assert described.metadata == {"repo": "x", "objective": "tests"}
    assert (await client.agents.get("ann")).metadata == described.metadata
    await client.agents.remove("ann")
    assert [agent.agent_id for agent in await client.agents.list()] == [named.agent_id]
    with pytest.raises(Missing):
        await client.agents.heartbeat("ann")


async def test_who_takes_messages_from_contacts_only_says_so(client: Client) -> None:
    await client.agents.register("Bob", id="bob")
    assert (await client.agents.policies("bob")).policy == "open"
    assert (await client.agents.set_policies("bob", policy="contacts_only")).policy == "contacts_only"
    with pytest.raises(PolicyDenied) as denied:
        await client.messages.send("ann", ["bob"], "hello")
    assert denied.value.denied == ["bob"]
    await client.agents.add_contact("bob", "ann")
    assert await client.agents.contacts("bob") == ("ann",)
    sent = await client.messages.send("ann", ["bob"], "hello")
    assert sent.cursor > 0
    await client.agents.remove_contact("bob", "ann")
    assert await client.agents.contacts("bob") == ()


async def test_a_broadcast_reaches_all_others(client: Client) -> None:
    for name in ("ann", "bob", "carol"):
        await client.agents.register(name, id=name)
    sent = await client.messages.broadcast("ann", "build", "it is red")
    assert sent.delivered == 2
    assert [each.body for each in (await client.messages.inbox("carol")).messages] == ["it is red"]
    assert (await client.messages.inbox("ann")).messages == ()
