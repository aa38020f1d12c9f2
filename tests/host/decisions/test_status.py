"""/status: one screen."""

from tests.host.decisions.office import ANA, CHAIN, Office, code_of


async def test_nothing_goes_on(office: Office) -> None:
    shown = await office.parts.status.content("main")
    assert shown.text == "Running\nNothing runs.\n\nWaiting\nNothing waits for a decision."
    assert shown.picture is None


async def test_what_runs_what_it_costs_and_what_waits(office: Office) -> None:
    run = await office.terminal.run("refactor auth", token_budget=200_000, **CHAIN)
    await office.terminal.spend(run, 84_000)
    await office.terminal.block(run, "look")
    await office.feed()
    shown = await office.parts.status.content("main")
    assert shown.text.splitlines() == [
        "Running",
        '"refactor auth"',
        "○○○ review",
        "▓▓▓▓░░░░░░ 42 % of 200 k tokens",
        "",
        "Waiting",
        f'🚪 Your decision: polish "refactor auth"? {code_of(await office.card())} · Ana, Ben',
    ]
    assert shown.picture is not None


async def test_another_group_sees_what_waits_there_only(office: Office) -> None:
    await office.gate()
    assert "Nothing waits for a decision." in (await office.parts.status.content("design")).text
    assert [each.folder for each in await office.parts.desk.open_approvals(ANA.address)] == ["main"]


async def test_a_kernel_that_is_down_is_said(office: Office) -> None:
    office.kernel.down = True
    shown = await office.parts.status.content("main")
    assert "Not well\nThe kernel does not answer: The kernel is down." in shown.text
