"""What models write (Markdown) as styled text, from its syntax tree; HTML in it stays text."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from bridges.telegram.styled import Span, Style, Styled

_NESTING = 40
_LONGEST = 50_000  #: characters; beyond that parsing costs more than the looks are worth
_LINKS = ("http://", "https://", "tg://", "mailto:")
_LANGUAGE = re.compile(r"[A-Za-z0-9+#._-]{1,32}")
_BULLETS = ("•", "◦", "▪")
_STYLES = {
    "heading": Style.BOLD,
    "blockquote": Style.QUOTE,
    "strong": Style.BOLD,
    "em": Style.ITALIC,
    "s": Style.STRIKE,
}

# Reference definitions would vanish from the text when nothing refers to them, so they stay text too.
_PARSER = (
    MarkdownIt("commonmark", {"html": False, "maxNesting": _NESTING})
    .enable(["table", "strikethrough"])
    .disable(["html_block", "html_inline", "reference"])
)


def read_markdown(source: str) -> Styled:
    """The text to show and how to style it."""
    if len(source) > _LONGEST:
        return Styled(source)
    tokens = _PARSER.parse(source)
    if any(token.level >= _NESTING - 2 for token in tokens):
        return Styled(source)  # the parser drops what is nested deeper: better plain than lost
    page = _Page()
    page.blocks(SyntaxTreeNode(tokens).children)
    return page.styled()


class _Page:
    """Text and spans as they grow while the tree is walked."""

    def __init__(self, *, links: bool = True) -> None:
        self._links = links
        self._written: list[str] = []
        self._length = 0
        self._spans: list[Span] = []
        self._open: list[Style] = []
        self._depth = 0  # of lists

    def styled(self) -> Styled:
        spans = sorted(self._spans, key=lambda span: (span.start, -span.end))
        return Styled("".join(self._written), tuple(span for span in spans if span.end > span.start))

    def write(self, text: str) -> None:
        self._written.append(text)
        self._length += len(text)

    @contextmanager
    def span(self, style: Style, detail: str = "") -> Iterator[None]:
        """Style what is written inside; a style within itself adds nothing."""
        if style in self._open:
            yield
            return
        start, slot = self._length, len(self._spans)
        self._open.append(style)
        yield
        self._open.pop()
        self._spans.insert(slot, Span(start, self._length, style, detail))

    def blocks(self, nodes: Sequence[SyntaxTreeNode], gap: str = "\n\n") -> None:
        for number, node in enumerate(nodes):
            if number:
                self.write(gap)
            self.block(node)

    def block(self, node: SyntaxTreeNode) -> None:
        match node.type:
            case "fence" | "code_block":
                self.code(node)
            case "heading" | "blockquote":
                with self.span(_STYLES[node.type]):
                    self.blocks(node.children)
            case "bullet_list" | "ordered_list":
                self.list(node)
            case "table":
                with self.span(Style.BLOCK):
                    self.write(_table(node))
            case "hr":
                self.write("———")
            case "inline":
                for child in node.children:
                    self.inline(child)
            case _:
                self.blocks(node.children)

    def code(self, node: SyntaxTreeNode) -> None:
        words = node.info.split() if node.type == "fence" else []
        language = words[0] if words and _LANGUAGE.fullmatch(words[0]) else ""
        with self.span(Style.BLOCK, language):
            self.write(node.content.rstrip("\n"))

    def list(self, node: SyntaxTreeNode) -> None:
        first = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
        indent = "   " * self._depth
        bullet = _BULLETS[min(self._depth, len(_BULLETS) - 1)]
        self._depth += 1
        for number, item in enumerate(node.children):
            label = bullet if first is None else f"{first + number}."
            self.write(f"{chr(10) if number else ''}{indent}{label} ")
            self.blocks(item.children, gap="\n")
        self._depth -= 1

    def inline(self, node: SyntaxTreeNode) -> None:
        match node.type:
            case "softbreak" | "hardbreak":
                self.write("\n")
            case "code_inline":
                with self.span(Style.CODE):
                    self.write(node.content)
            case "strong" | "em" | "s":
                with self.span(_STYLES[node.type]):
                    for child in node.children:
                        self.inline(child)
            case "link":
                self.link(str(node.attrs.get("href", "")), node.children)
            case "image":
                self.link(str(node.attrs.get("src", "")), (), node.content)
            case _:
                self.write(node.content)

    def link(self, target: str, children: Sequence[SyntaxTreeNode], label: str = "") -> None:
        """A link people can tap, or its words with the target behind them where there is no such link."""
        start = self._length
        if not self._links or not target.lower().startswith(_LINKS):
            self._label(children, label)
            self.write(f" ({target})" if target and self._length > start else target)
            return
        with self.span(Style.LINK, target):
            self._label(children, label)
            if self._length == start:
                self.write(target)

    def _label(self, children: Sequence[SyntaxTreeNode], label: str) -> None:
        self.write(label)
        for child in children:
            self.inline(child)


def _table(node: SyntaxTreeNode) -> str:
    """Aligned columns for a fixed-width block."""
    rows = [[_cell(cell) for cell in row.children] for part in node.children for row in part.children]
    widths = [max(len(row[column]) for row in rows if column < len(row)) for column in range(len(rows[0]))]
    lines = [
        " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=False)).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-+-".join("-" * width for width in widths), *lines[1:]])


def _cell(node: SyntaxTreeNode) -> str:
    page = _Page(links=False)
    page.blocks(node.children)
    return page.styled().text.replace("\n", " ")
