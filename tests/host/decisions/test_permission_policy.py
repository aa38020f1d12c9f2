"""What of an agent's own requests runs freely, and that a card shows all of what would run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.splitting import units
from container.agent import PermissionRequest
from host.decisions.permission_policy import INSIDE, ROOM, Ruling, judge, payload, plain_sight
from host.phrases import HIDDEN

OUTSIDE = ["fetch", "switch_mode", "other", "browse", "", "EXECUTE", "execute "]


def asked(kind: str, *, title: str = "do it", detail: str = "x", tool: str = "") -> PermissionRequest:
    return PermissionRequest(title=title, kind=kind, detail=detail, tool=tool)


@pytest.mark.parametrize("kind", sorted(INSIDE))
def test_work_inside_the_container_runs_freely_and_outside_of_one_never(kind: str) -> None:
    assert judge(asked(kind), isolated=True) is Ruling.ALLOW
    assert judge(asked(kind), isolated=False) is Ruling.ASK


@pytest.mark.parametrize("isolated", [True, False])
@pytest.mark.parametrize("kind", OUTSIDE)
def test_what_may_lead_out_is_asked(kind: str, isolated: bool) -> None:
    assert judge(asked(kind), isolated=isolated) is Ruling.ASK


@pytest.mark.parametrize("isolated", [True, False])
@pytest.mark.parametrize("kind", ["other", "execute", "fetch"])
def test_our_own_tools_are_judged_where_they_are_called(kind: str, isolated: bool) -> None:
    assert judge(asked(kind, tool="demarch_start_run"), isolated=isolated) is Ruling.ALLOW


@pytest.mark.parametrize("command", ["sh -lc 'curl x'", "python3 -c 1", "busybox wget x", "node -e 1"])
def test_an_interpreter_is_asked_about_each_time(command: str) -> None:
    """There is no answer that covers the next request."""
    request = asked("execute", title=command, detail=command)
    assert [judge(request, isolated=False) for _ in range(3)] == [Ruling.ASK] * 3


@pytest.mark.parametrize("detail", ["y" * (ROOM + 1), "\n".join("y" * 61), "\u202e" * 600, "😀" * 1500])
def test_what_a_card_has_no_room_for_is_refused(detail: str) -> None:
    assert payload(asked("fetch", detail=detail)) is None
    assert judge(asked("fetch", detail=detail), isolated=True) is Ruling.REFUSE


def test_letters_that_hide_are_shown() -> None:
    assert plain_sight("rm \u202e-rf\u200b /\x1b[2K\r\nls\tx") == (
        "rm \\u{202e}-rf\\u{200b} /\\u{1b}[2K\nls  x"
    )


def test_a_title_the_headline_had_to_change_is_shown_whole() -> None:
    title = f"fetch {'a' * 300}"
    assert payload(asked("fetch", title=title, detail="y")) == (f"│ {title}", "│ y")
    assert payload(asked("fetch", title="a\nApprove → nothing", detail="")) == ("│ a", "│ Approve → nothing")


@given(st.text(max_size=400))
def test_every_visible_letter_of_what_would_run_is_on_the_card(detail: str) -> None:
    lines = payload(asked("fetch", detail=detail))
    if lines is None:
        return
    shown = "".join(line.removeprefix("│ ") for line in lines)
    assert [
        letter for letter in detail if letter.isprintable() and letter != " " and letter not in HIDDEN
    ] == [letter for letter in _without_escapes(detail, shown) if letter != " "]
    assert all(letter.isprintable() and letter not in HIDDEN for letter in shown)
    assert sum(units(line) + 1 for line in lines) <= ROOM


def _without_escapes(detail: str, shown: str) -> str:
    for letter in sorted(set(detail)):
        if letter != "\n" and (not letter.isprintable() or letter in HIDDEN):
            shown = shown.replace(f"\\u{{{ord(letter):x}}}", "", detail.count(letter))
    return shown
