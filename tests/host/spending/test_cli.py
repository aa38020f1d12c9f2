"""The command line about money: limits, models, reports, whether or not the host runs."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.program import Program


@pytest.fixture
def program() -> Iterator[Program]:
    with tempfile.TemporaryDirectory(prefix="ic-") as home:
        yield Program(Path(home), {"INTERCOM_SPEND__DAILY_USD": "7.5"})


async def test_a_groups_limit_and_models_are_set_and_shown(program: Program) -> None:
    async def said(*command: str) -> str:
        status, printed = await program.command(*command)
        assert status == 0, printed
        return printed.strip().splitlines()[-1]

    await said("group", "add", "tg:-1", "--folder", "shop")
    assert await said("group", "budget", "shop") == (
        "shop may spend $7.50 on models a day, as the settings say."
    )
    assert await said("group", "budget", "shop", "2.50") == "shop may spend $2.50 on models a day."
    assert await said("group", "models", "shop", "claude-opus-4-6", "claude-haiku-4-5") == (
        "shop may ask claude-opus-4-6, claude-haiku-4-5."
    )
    assert await said("group", "budget", "shop", "0") == "shop may not spend anything on models."
    assert await said("group", "models", "shop") == "shop may ask claude-opus-4-6, claude-haiku-4-5."
    assert await said("group", "models", "shop", "default") == (
        "shop may ask every model in the catalogue of its agent program."
    )
    assert await said("group", "budget", "shop", "default") == (
        "shop may spend $7.50 on models a day, as the settings say."
    )
    _, audited = await program.command("audit", "tail", "--json")
    assert audited.count("group.profile_set") == 5
    assert (await said("spend")).startswith("Nothing was spent on models since ")
    assert json.loads(await said("spend", "--json", "--days", "30")) == {
        "by_day": [],
        "by_model": [],
        "by_session": [],
    }


@pytest.mark.parametrize(
    ("command", "status", "words"),
    [
        (["group", "budget", "nobody", "3"], 1, "There is no group “nobody”"),
        (["group", "budget", "main", "much"], 2, "'much' is no amount"),
        (["group", "budget", "main", "-1"], 2, ""),
        (["group", "models", "main", "a model"], 2, "is no model's id"),
        (["group", "models", "main", "default", "x"], 2, "is no model's id"),
        (["spend", "--days", "0"], 2, "0"),
    ],
)
async def test_wrong_usage_changes_nothing(
    program: Program, command: list[str], status: int, words: str
) -> None:
    ended, printed = await program.command(*command)
    assert ended == status, printed
    assert words in printed
    assert "Traceback" not in printed
