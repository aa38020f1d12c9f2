"""Texts as trees the page can build without ever parsing HTML: `[tag, attributes, children]` or a string.

Markdown is parsed by markdown-it with HTML off; only the tags below leave this module, and the page
creates each as an element of its own. Text stays text on the whole way, so there is nothing to sanitise.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

Node = str | tuple[str, Mapping[str, str], Sequence["Node"]]

LONGEST_MARKDOWN = 20_000  # characters; longer texts are shown as they are, parsing them would hold up others
DEEPEST = 24  # nested elements; what is deeper is shown at this depth

_URL = re.compile(r"https?://[^\s<>\"'`]+")
_URL_TAIL = ".,;:!?)]}*_"
_SCHEMES = frozenset({"http", "https", "mailto"})
_CODE_LINE = re.compile(r"(?:^|\n|· )code [A-Z0-9]{6}$")
_EFFECT = re.compile(r"(?:^|(?<=\n)|(?<=[.!?)] )|(?<= {2}))([A-Z][a-z]+(?: [a-z]+)?)(?= →)")
_CONTAINERS = frozenset(
    {"p", "ul", "ol", "li", "blockquote", "strong", "em", "s", "table", "thead", "tbody", "tr", "th", "td"}
)


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def plain(text: str) -> list[Node]:
    """A text whose line breaks count; only its links can be clicked."""
    return [("lines", {}, list(_with_links(text)))] if text else []


def card(text: str) -> list[Node]:
    """A plain text of a card: what each button does in bold, the paragraph with the code as small print."""
    small = ""
    if _CODE_LINE.search(text):
        text, _, small = text.rpartition("\n\n") if "\n\n" in text else text.rpartition("\n")
    paragraphs = [part.strip("\n") for part in text.split("\n\n") if part.strip()]
    nodes: list[Node] = [("lines", {}, list(_with_effects(part))) for part in paragraphs]
    return [*nodes, ("small", {}, [small])] if small else nodes


def markdown(text: str) -> list[Node]:
    """What a model writes."""
    if len(text) > LONGEST_MARKDOWN:
        return plain(text)
    return _nodes(_parser().parse(text))


def markdown_line(text: str) -> list[Node]:
    """One line of Markdown without block structure (a headline)."""
    if len(text) > LONGEST_MARKDOWN:
        return [text]
    return _nodes(_parser().parseInline(text))


def _with_effects(text: str) -> Iterator[Node]:
    end = 0
    for match in _EFFECT.finditer(text):
        yield from _with_links(text[end : match.start()])
        yield ("strong", {}, [match[1]])
        end = match.end()
    yield from _with_links(text[end:])


def _with_links(text: str) -> Iterator[Node]:
    end = 0
    for match in _URL.finditer(text):
        url = match[0].rstrip(_URL_TAIL)
        if not _may_link(url):
            continue
        if match.start() > end:
            yield text[end : match.start()]
        yield ("a", {"href": url}, [url])
        end = match.start() + len(url)
    if end < len(text):
        yield text[end:]


def _may_link(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in _SCHEMES and bool(parts.netloc or parts.scheme == "mailto")


def _nodes(tokens: Sequence[Token]) -> list[Node]:
    """Fold a flat token stream into nodes; no recursion, so no text can exhaust the stack."""
    top: list[Node] = []
    stack = [top]
    linked = 0
    for token in _flat(tokens):
        if token.nesting == 0:
            stack[-1].extend(_leaf(token, inside_link=linked > 0))
        elif token.hidden:
            continue
        elif token.nesting < 0:
            linked -= token.tag == "a"
            stack.pop()
        else:
            linked += token.tag == "a"
            stack.append(_open(token, stack))
    return top


def _flat(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type == "inline":
            yield from token.children or ()
        else:
            yield token


def _open(token: Token, stack: list[list[Node]]) -> list[Node]:
    """The list that takes the children of this element."""
    element = _element(token)
    if element is None or len(stack) > DEEPEST:
        return stack[-1]
    children: list[Node] = []
    stack[-1].append((*element, children))
    return children


def _element(token: Token) -> tuple[str, dict[str, str]] | None:
    if token.tag == "a":
        url = str(token.attrGet("href") or "")
        return ("a", {"href": url}) if _may_link(url) else None
    if token.type == "heading_open":
        return f"h{min(6, int(token.tag[1:]) + 2)}", {}  # the page's own headings are h1 and h2
    if token.tag not in _CONTAINERS:
        return None
    align = str(token.attrGet("style") or "").removeprefix("text-align:")
    start = str(token.attrGet("start") or "")
    return token.tag, ({"align": align} if align else {}) | ({"start": start} if start else {})


def _leaf(token: Token, *, inside_link: bool) -> Iterator[Node]:
    match token.type:
        case "softbreak" | "hardbreak":
            yield ("br", {}, [])
        case "hr":
            yield ("hr", {}, [])
        case "code_inline":
            yield ("code", {}, [token.content])
        case "fence" | "code_block":
            yield ("pre", {}, [("code", {}, [token.content.removesuffix("\n")])])
        case "image":  # never fetched from elsewhere: its description, leading to it
            yield from _image(token, inside_link=inside_link)
        case _ if inside_link:
            yield token.content
        case _:
            yield from _with_links(token.content)


def _image(token: Token, *, inside_link: bool) -> Iterator[Node]:
    url = str(token.attrGet("src") or "")
    words = token.content or "picture"
    if inside_link or not _may_link(url):
        yield words
    else:
        yield ("a", {"href": url}, [words])
