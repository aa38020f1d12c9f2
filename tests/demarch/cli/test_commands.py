"""Argument lines: the id first, values as --key=value, and nothing of a person's that becomes an option."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from demarch.cli.commands import TABLE, command, flagged
from demarch.cli.surroundings import surroundings


def test_the_id_stands_before_the_options_and_values_behind_an_equals_sign() -> None:
    line = flagged(command("gate.override", "abcd1234", reason="it is fine"), "justified").argv
    assert line == (
        "--json", "--timeout=5s", "gate", "override", "abcd1234", "--reason=it is fine", "--justified",
    )  # fmt: skip


def test_truth_is_spelled_out_and_what_is_not_given_left_out() -> None:
    line = command("run.set", "abcd1234", auto_advance=False, complexity=None, max_dispatches=4).argv
    assert line[-2:] == ("--auto-advance=false", "--max-dispatches=4")


def test_words_that_begin_with_a_dash_are_no_options_of_bd() -> None:
    line = flagged(command("bd.search", "--help", limit=5), "desc").argv
    assert line == ("--json", "search", "--limit=5", "--desc", "--", "--help")


@given(st.text(), st.text())
def test_no_value_becomes_an_option_or_a_word_of_its_own(title: str, reason: str) -> None:
    line = command("discovery.submit", source="x", title=title, summary=reason).argv
    assert len(line) == 7
    assert line[5:] == (f"--title={title.replace(chr(0), '')}", f"--summary={reason.replace(chr(0), '')}")


def test_every_row_has_patience_and_ic_waits_for_its_database() -> None:
    for name, row in TABLE.items():
        assert 0 < row.timeout <= 60
        assert row.program in {"ic", "bd"}
        assert row.words
        line = command(name).argv
        assert "--json" in line
        assert ("--timeout=5s" in line) == (row.program == "ic")


def test_binaries_are_looked_for_where_people_install_them() -> None:
    path = surroundings({"PATH": "/usr/bin:.:node_modules/.bin:/usr/bin"}, Path("/home/ana"))["PATH"]
    assert path.split(":") == [
        "/usr/bin", "/home/ana/.local/bin", "/home/ana/.cargo/bin", "/home/ana/go/bin", "/usr/local/bin",
    ]  # fmt: skip


def test_secrets_of_the_program_stay_with_it() -> None:
    given = {"PATH": "/bin", "HOME": "/home/ana", "LANG": "de_DE.UTF-8", "BD_ACTOR": "ana",
             "INTERCOM_TELEGRAM__TOKEN": "1", "ANTHROPIC_API_KEY": "2", "LD_PRELOAD": "3"}  # fmt: skip
    assert set(surroundings(given)) == {"PATH", "HOME", "LANG", "BD_ACTOR", "GIT_TERMINAL_PROMPT"}
    assert surroundings(given)["HOME"] == "/home/ana"
