"""The law of the log: every reader gets everything once, in its order, and takes nothing from others."""

from tests.demarch.law.worlds import Caller, World, worded


async def test_behind_the_head_is_nothing_until_something_happens(ana: Caller, world: World) -> None:
    run_id = await world.run(phases=["draft", "check", "ship"])
    await world.attempt(run_id)
    head = await ana.kernel.head()
    assert await ana.kernel.events(head, 100) == []
    await world.attempt(run_id)
    (event,) = await ana.kernel.events(head, 100)
    assert (event.source, event.run_id, event.to_state) == ("phase", run_id, "ship")


async def test_read_in_small_pieces_the_log_is_the_same(ana: Caller, world: World) -> None:
    run_id = await world.run()
    for number in range(7):
        await world.attempt(run_id)
        await ana.found(f"Finding {number}")
    whole = await ana.events()
    assert len(whole) == 14
    marks: dict[str, int] = {}
    pieces = []
    for _ in range(40):
        batch = await ana.kernel.events(marks, 3)
        if not batch:
            break
        for event in batch:
            assert event.id > marks.get(event.source, 0)
            marks[event.source] = event.id
            pieces.append((event.source, event.id))
    assert sorted(pieces) == sorted((event.source, event.id) for event in whole)
    assert len(set(pieces)) == 14


async def test_looking_at_events_takes_none_from_a_reader(ana: Caller, world: World) -> None:
    run_id = await world.run()
    head = await ana.kernel.head()
    await world.attempt(run_id)
    for _ in range(2):
        looked = await ana.read("run_events")
        assert looked.data["events"][-1]["type"] == "block"
        worded(looked)
    assert [event.type for event in await ana.kernel.events(head, 100)] == ["block"]


async def test_the_newest_events_come_last_and_of_one_run_alone(ana: Caller, world: World) -> None:
    first, second = await world.run("first"), await world.run("second", phases=["draft", "check", "ship"])
    for _ in range(3):
        await world.attempt(first)
    for _ in range(2):
        await world.attempt(second)
    events = (await ana.read("run_events", run_id=second)).data["events"]
    assert [(event["run_id"], event["type"], event["to_state"]) for event in events] == [
        (second, "advance", "check"),
        (second, "advance", "ship"),
    ]
    events = (await ana.read("run_events", limit=1)).data["events"]
    assert len(events) == 1


async def test_events_of_long_ago_are_left_out_if_so_asked(ana: Caller, world: World) -> None:
    await world.attempt(await world.run())
    assert (await ana.read("run_events", since="1h")).data["events"]
    later = await ana.read("run_events", since="2999-01-01T00:00:00Z")
    assert later.data["events"] == []
    worded(later)
