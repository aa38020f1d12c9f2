"""Text with spans of style, as Telegram thinks of it: can be sliced anywhere and written as its HTML."""

from dataclasses import dataclass, replace
from enum import StrEnum
from html import escape


class Style(StrEnum):
    """What a span does; the value is the HTML tag."""

    BOLD = "b"
    ITALIC = "i"
    STRIKE = "s"
    CODE = "code"
    BLOCK = "pre"
    LINK = "a"
    QUOTE = "blockquote"


@dataclass(frozen=True, slots=True)
class Span:
    start: int
    end: int
    style: Style
    detail: str = ""  #: the address of a link, the language of a block

    @property
    def opening(self) -> str:
        if self.style is Style.LINK:
            return f'<a href="{escape(self.detail)}">'
        if self.style is Style.BLOCK and self.detail:
            return f'<pre><code class="language-{escape(self.detail)}">'
        return f"<{self.style}>"

    @property
    def closing(self) -> str:
        return "</code></pre>" if self.style is Style.BLOCK and self.detail else f"</{self.style}>"


@dataclass(frozen=True, slots=True)
class Styled:
    """Spans are properly nested, in order of their start, the outer before the inner."""

    text: str
    spans: tuple[Span, ...] = ()

    def slice(self, start: int, end: int) -> "Styled":
        """A part of it: what is cut through is closed here and opened again in the next part."""
        inside = tuple(
            replace(span, start=max(span.start, start) - start, end=min(span.end, end) - start)
            for span in self.spans
            if span.start < end and span.end > start
        )
        return Styled(self.text[start:end], inside)

    def html(self) -> str:
        out: list[str] = []
        open_spans: list[Span] = []
        at = 0
        for span in self.spans:
            at = self._close(out, open_spans, at, span.start)
            out += (escape(self.text[at : span.start], quote=False), span.opening)
            open_spans.append(span)
            at = span.start
        at = self._close(out, open_spans, at, len(self.text))
        out.append(escape(self.text[at:], quote=False))
        return "".join(out)

    def _close(self, out: list[str], open_spans: list[Span], at: int, until: int) -> int:
        """End every open span that ends at or before `until`; returns how far the text is written."""
        while open_spans and open_spans[-1].end <= until:
            span = open_spans.pop()
            out += (escape(self.text[at : span.end], quote=False), span.closing)
            at = span.end
        return at

    @property
    def blocks(self) -> list[tuple[int, int]]:
        return [(span.start, span.end) for span in self.spans if span.style is Style.BLOCK]

    def said_by(self, name: str) -> "Styled":
        """The same below a line with a name in bold."""
        if not name:
            return self
        offset = len(name) + 1
        moved = (replace(span, start=span.start + offset, end=span.end + offset) for span in self.spans)
        return Styled(f"{name}\n{self.text}", (Span(0, len(name), Style.BOLD), *moved))

    def with_headline(self) -> "Styled":
        """The same with its first line in bold, unless that line already has a style of its own."""
        end = self.text.find("\n")
        end = len(self.text) if end < 0 else end
        crossing = any(span.start < end for span in self.spans)
        if crossing or not self.text[:end].strip():
            return self
        return Styled(self.text, (Span(0, end, Style.BOLD), *self.spans))
