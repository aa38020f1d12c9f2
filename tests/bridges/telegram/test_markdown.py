"""Models' Markdown as Telegram's HTML: always parsable, within the limits, with every word."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridges.messages import Content, Markup
from bridges.splitting import units
from bridges.telegram.markdown import read_markdown
from bridges.telegram.writing import write_parts
from tests.servers.telegram.markup import parse_html


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("plain & <b>simple</b>", "plain &amp; &lt;b&gt;simple&lt;/b&gt;"),
        ("**bold** *it* ~~gone~~ `x<y`", "<b>bold</b> <i>it</i> <s>gone</s> <code>x&lt;y</code>"),
        ("# Title\n\ntext", "<b>Title</b>\n\ntext"),
        ("# A **bold** title", "<b>A bold title</b>"),
        ("[docs](https://x.dev/?a=1&b=2)", '<a href="https://x.dev/?a=1&amp;b=2">docs</a>'),
        ("[mail](mailto:a@x.dev)", '<a href="mailto:a@x.dev">mail</a>'),
        ("[file](src/main.py)", "file (src/main.py)"),
        ("[bad](javascript:alert(1))", "[bad](javascript:alert(1))"),
        ("![chart](https://x.dev/c.png)", '<a href="https://x.dev/c.png">chart</a>'),
        ("- one\n- two\n  - deep\n", "• one\n• two\n   ◦ deep"),
        ("3. three\n4. four", "3. three\n4. four"),
        ("> said\n> > again", "<blockquote>said\n\nagain</blockquote>"),
        (
            "```py\nif a < b:\n    c()\n```",
            '<pre><code class="language-py">if a &lt; b:\n    c()</code></pre>',
        ),
        ("```\nraw\n```", "<pre>raw</pre>"),
        ("a\n\n---\n\nb", "a\n\n———\n\nb"),
        ("| n | wide |\n|---|---|\n| 1 | x |", "<pre>n | wide\n--+-----\n1 | x</pre>"),
        ("[1]: https://x.dev", "[1]: https://x.dev"),
        ("&lt;script&gt;", "&lt;script&gt;"),
        ("**unclosed and `also", "**unclosed and `also"),
    ],
)
def test_markdown_becomes_html(source: str, html: str) -> None:
    assert read_markdown(source).html() == html


def test_nesting_beyond_reason_stays_plain_instead_of_vanishing() -> None:
    source = ">" * 200 + " deep words"
    assert "deep words" in read_markdown(source).text


def test_a_very_long_text_is_not_parsed() -> None:
    source = "**x** " * 20_000
    assert read_markdown(source).text == source


def test_a_long_code_block_is_closed_and_opened_again() -> None:
    lines = [f"print({number})  # {'x' * 40}" for number in range(200)]
    content = Content(text="Look:\n\n```python\n" + "\n".join(lines) + "\n```\nDone.", markup=Markup.MARKDOWN)
    parts = write_parts(content)
    blocks = [
        re.findall(r'<pre><code class="language-python">(.*?)</code></pre>', part.body, re.DOTALL)
        for part in parts
    ]
    shown = [line for found in blocks for block in found for line in block.split("\n")]
    assert shown == lines
    assert all(part.body.count("<pre>") == part.body.count("</pre>") for part in parts)


def test_a_code_block_that_fits_is_never_cut() -> None:
    text = "word " * 700 + "\n\n```\n" + "x" * 3000 + "\n```"
    first, second = write_parts(Content(text=text, markup=Markup.MARKDOWN))
    assert "<pre>" not in first.body
    assert second.fallback == "x" * 3000


def test_no_message_has_more_than_a_hundred_entities() -> None:
    parts = write_parts(Content(text="`x` " * 350, markup=Markup.MARKDOWN))
    counts = [len(parse_html(part.body)[1]) for part in parts]
    assert sum(counts) == 350
    assert max(counts) <= 100


WORDS = st.from_regex(r"[a-z]{1,12}", fullmatch=True)
INLINE = st.one_of(
    WORDS,
    WORDS.map("**{}**".format),
    WORDS.map("*{}*".format),
    WORDS.map("`{}`".format),
    WORDS.map("~~{}~~".format),
    WORDS.map("[{}](https://x.dev/a)".format),
    WORDS.map("**a _{}_ b**".format),
    st.sampled_from(["<", "&", ">", "🎉", "<b>", "a<b", "*", "_", "`", "[", "](", "\\"]),
)
PARAGRAPHS = st.lists(INLINE, min_size=1, max_size=12).map(" ".join)
BLOCKS = st.one_of(
    PARAGRAPHS,
    PARAGRAPHS.map("# {}".format),
    PARAGRAPHS.map("> {}".format),
    PARAGRAPHS.map("- {}\n- again".format),
    PARAGRAPHS.map("1. {}\n   - deeper\n".format),
    st.lists(WORDS, min_size=1, max_size=400).map(lambda words: "```rust\n" + "\n".join(words) + "\n```"),
    st.lists(WORDS, min_size=1, max_size=900).map(" ".join),
    st.text(max_size=200),
)
DOCUMENTS = st.lists(BLOCKS, max_size=8).map("\n\n".join)


@settings(max_examples=150, deadline=None)
@given(DOCUMENTS, st.booleans())
def test_every_part_is_accepted_and_within_the_limits(source: str, headline: bool) -> None:
    parts = write_parts(Content(text=source, markup=Markup.MARKDOWN, headline=headline))
    assert parts
    for part in parts:
        text, entities = parse_html(part.body)
        assert text == part.fallback
        assert 0 < units(text) <= 4096
        assert len(entities) <= 100


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(WORDS, min_size=1, max_size=300).map(" ".join), min_size=1, max_size=6), st.data())
def test_no_word_is_lost_whatever_it_stands_in(texts: list[str], data: st.DataObject) -> None:
    frames = ["{}", "# {}", "> {}", "- {}", "**{}**", "*{}*", "`{}`", "```\n{}\n```", "| {} |\n|---|\n| {} |"]
    chosen = [data.draw(st.sampled_from(frames)) for _ in texts]
    source = "\n\n".join(frame.replace("{}", text) for frame, text in zip(chosen, texts, strict=True))
    parts = write_parts(Content(text=source, markup=Markup.MARKDOWN))
    shown = re.findall(r"[a-z]+", " ".join(part.fallback for part in parts))
    expected = re.findall(r"[a-z]+", source)
    assert shown == expected


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=12_000))
def test_plain_text_is_shown_as_it_is(source: str) -> None:
    parts = write_parts(Content(text=source))
    shown = "".join(part.fallback for part in parts)
    kept = "".join(source.replace("\x00", "").encode("utf-8", "replace").decode().split())
    assert "".join(shown.split()) == (kept or "…")
