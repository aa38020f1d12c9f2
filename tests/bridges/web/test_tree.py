"""Texts become trees of known tags; whatever is written in them stays text."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.web import tree
from bridges.web.tree import Node

ALLOWED = {
    "lines", "p", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "strong", "em", "s", "code", "pre",
    "a", "table", "thead", "tbody", "tr", "th", "td", "hr", "br", "small",
}  # fmt: skip

SIGNS = ("*", "**", "_", "~~", "`", "```\n", ">", "-", "1.", "#", "|", "|-|\n", "\n", "\n\n", "\t", " ", "\\")
LINKS = ("[", "](", ")", "!", "<", "http://a.b/", "javascript:", "<script>", "&lt;", "→", "\x00", "text", "é")
MARKUP = st.lists(st.sampled_from(SIGNS + LINKS), max_size=60).map("".join)


def walk(nodes: Sequence[Node], depth: int = 0) -> int:
    """Checks every node, returns the greatest depth."""
    deepest = depth
    for node in nodes:
        if isinstance(node, str):
            continue
        tag, attributes, children = node
        assert tag in ALLOWED
        assert set(attributes) <= {"href", "align", "start"}
        assert attributes.get("href", "http:").split(":")[0].lower() in {"http", "https", "mailto"}
        deepest = max(deepest, walk(children, depth + 1))
    return deepest


@given(MARKUP)
def test_any_markdown_becomes_known_tags_with_harmless_links(text: str) -> None:
    nodes = tree.markdown(text) + tree.markdown_line(text) + tree.card(text) + tree.plain(text)
    assert walk(nodes) <= tree.DEEPEST + 2
    json.dumps(nodes)


@pytest.mark.parametrize(
    "text", ["*a " * 6000, "*a **b " * 1400 + "c** d*" * 1400, "> " * 9000, "[" * 20_000]
)
def test_nothing_nests_without_end(text: str) -> None:
    assert walk(tree.markdown(text)) <= tree.DEEPEST + 2


def test_html_is_text() -> None:
    assert tree.markdown("<img src=x onerror=alert(1)>") == [("p", {}, ["<img src=x onerror=alert(1)>"])]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "intent://x", "file:///etc/passwd", "data:text/html,x", "//x"]
)
def test_links_elsewhere_than_the_web_are_not_links(url: str) -> None:
    assert "href" not in json.dumps(tree.markdown(f"[click]({url}) ![picture]({url}) <{url}>"))


def test_a_remote_picture_is_a_link_and_never_fetched() -> None:
    assert tree.markdown("![chart](https://x.y/z.png)") == [
        ("p", {}, [("a", {"href": "https://x.y/z.png"}, ["chart"])])
    ]


def test_a_bare_address_is_a_link_without_the_full_stop_behind_it() -> None:
    assert tree.plain("see https://x.y/z.") == [
        ("lines", {}, ["see ", ("a", {"href": "https://x.y/z"}, ["https://x.y/z"]), "."])
    ]


def test_what_a_model_writes_keeps_its_shape() -> None:
    assert tree.markdown("# Plan\n1. **one**\n   two\n\n```py\nx = 1\n```\n|a|b|\n|-|-:|\n|`c`|d|") == [
        ("h3", {}, ["Plan"]),
        ("ol", {}, [("li", {}, [("strong", {}, ["one"]), ("br", {}, []), "two"])]),
        ("pre", {}, [("code", {}, ["x = 1"])]),
        ("table", {}, [
            ("thead", {}, [("tr", {}, [("th", {}, ["a"]), ("th", {"align": "right"}, ["b"])])]),
            ("tbody", {}, [
                ("tr", {}, [("td", {}, [("code", {}, ["c"])]), ("td", {"align": "right"}, ["d"])])
            ]),
        ]),
    ]  # fmt: skip


def test_a_card_shows_effects_in_bold_and_the_code_small() -> None:
    text = "Review is done.\nApprove → it goes on.  Reject → it stays.\n\nAsked 14:02\nrun r8 · code K7Q2MD"
    assert tree.card(text) == [
        ("lines", {}, [
            "Review is done.\n", ("strong", {}, ["Approve"]), " → it goes on.  ", ("strong", {}, ["Reject"]),
            " → it stays.",
        ]),
        ("small", {}, ["Asked 14:02\nrun r8 · code K7Q2MD"]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "small"),
    [("It runs.\ncode K7Q2MD", "code K7Q2MD"), ("code K7Q2MD", "code K7Q2MD"), ("barcode K7Q2MD", None)],
)
def test_a_card_without_small_print_has_its_code_in_small(text: str, small: str | None) -> None:
    assert [node[2][0] for node in tree.card(text) if node[0] == "small"] == ([small] if small else [])


def test_a_very_long_text_is_shown_as_it_is() -> None:
    text = "**x** " * 4000
    assert tree.markdown(text) == [("lines", {}, [text])]
