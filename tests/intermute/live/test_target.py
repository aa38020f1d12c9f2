"""Places of terminals, as agents name them and as tmux takes them."""

import pytest

from intermute.live import target


@pytest.mark.parametrize(
    ("given", "window", "pane"),
    [
        ("work", "=work:", ""),
        ("work.1", "=work:", "1"),
        ("work:0", "=work:=0", ""),
        ("work:0.2", "=work:=0", "2"),
        ("my-work_2:claude", "=my-work_2:=claude", ""),
    ],
)
def test_a_place_is_taken_literally(given: str, window: str, pane: str) -> None:
    assert target.valid(given)
    assert (target.window(given), target.pane(given)) == (window, pane)


@pytest.mark.parametrize(
    "wrong", ["", "bad;target", "a b", "$(x)", "a:b:c", "=a", "a:", ":0", "a\n", "%1", "@1", "é", "a" * 201]
)
def test_what_is_no_place_is_refused(wrong: str) -> None:
    assert not target.valid(wrong)
