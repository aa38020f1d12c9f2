"""Long texts are cut where a reader would, to the unit, and nothing of them is lost."""

from hypothesis import given
from hypothesis import strategies as st

from bridges.splitting import reach, shorten, split, units

LETTERS = st.text(alphabet="ab \n🎉é\u0301\u200d", max_size=300)


def cut(text: str, limit: int, keep: list[tuple[int, int]] | None = None) -> list[str]:
    return [text[a:b] for a, b in split(text, lambda start: reach(text, start, limit), keep or [])]


def test_units_are_counted_as_utf_16_does() -> None:
    assert units("aé🎉") == 4
    assert units("") == 0


def test_a_short_text_stays_whole() -> None:
    assert cut("one\n\ntwo", 100) == ["one\n\ntwo"]


def test_nothing_but_whitespace_is_no_message() -> None:
    assert cut(" \n \n ", 3) == []


def test_paragraphs_are_cut_before_lines_and_lines_before_words() -> None:
    assert cut("one two\nthree\n\nfour five", 18) == ["one two\nthree", "four five"]
    assert cut("one two\nthree four", 12) == ["one two", "three four"]
    assert cut("one two three", 9) == ["one two", "three"]
    assert cut("abcdefgh", 3) == ["abc", "def", "gh"]


def test_an_emoji_is_never_cut_in_half() -> None:
    assert cut("🎉🎉🎉", 3) == ["🎉", "🎉", "🎉"]
    family = "👩\u200d👧"
    assert cut(f"aaa{family}", 6) == ["aaa", family]


def test_a_kept_block_moves_to_the_next_message_as_a_whole() -> None:
    text = "before it\nx = 1\n\ny = 2"
    assert cut(text, 18, [(10, len(text))]) == ["before it", "x = 1\n\ny = 2"]


def test_a_block_longer_than_a_message_is_cut_at_a_line_and_keeps_its_indentation() -> None:
    text = "if a:\n    b()\n    c()"
    assert cut(text, 16, [(0, len(text))]) == ["if a:\n    b()", "    c()"]


@given(LETTERS, st.integers(2, 40))
def test_every_piece_fits_and_only_whitespace_is_left_out(text: str, limit: int) -> None:
    pieces = cut(text, limit)
    assert all(0 < units(piece) <= limit for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


@given(LETTERS, st.integers(8, 60), st.lists(st.integers(0, 300), max_size=8))
def test_a_kept_range_is_cut_only_when_it_is_longer_than_a_message(
    text: str, limit: int, borders: list[int]
) -> None:
    edges = sorted({min(border, len(text)) for border in borders})
    keep = list(zip(edges[::2], edges[1::2], strict=False))
    ranges = split(text, lambda start: reach(text, start, limit), keep)
    assert "".join("".join(text[a:b] for a, b in ranges).split()) == "".join(text.split())
    assert all(units(text[a:b]) <= limit for a, b in ranges)
    for first, last in keep:
        inside = [end for _, end in ranges if first < end < last and text[end:last].strip()]
        assert not inside or units(text[first:last]) > limit - 16


@given(LETTERS, st.integers(1, 50))
def test_shortened_texts_fit_and_say_that_they_are_short(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert units(short) <= limit
    assert short == text or short.endswith("…")
