"""What a sentence asks for, and the few kinds of it."""

Arguments = dict[str, object]


class Intent:
    """One thing to do: `call` a tool, show the `help`, `wait`, or `unknown`."""

    __slots__ = ("arguments", "body", "kind", "seconds", "title", "tool")

    def __init__(
        self,
        kind: str,
        tool: str = "",
        title: str = "",
        arguments: Arguments | None = None,
        *,
        body: str = "",
        seconds: float = 0,
    ) -> None:
        self.kind = kind
        self.tool = tool
        self.title = title  #: what it is doing, for the people who wait: "looking up ready issues"
        self.arguments = arguments or {}
        self.body = body  #: which argument further lines of the same message belong to
        self.seconds = seconds

    def add(self, line: str) -> None:
        written = self.arguments.get(self.body)
        self.arguments[self.body] = f"{written}\n{line}" if written else line


def call(tool: str, title: str, arguments: Arguments | None = None, body: str = "") -> Intent:
    """Call a tool; arguments that were not said are left out."""
    said = {name: value for name, value in (arguments or {}).items() if value not in (None, "")}
    return Intent("call", tool, title, said, body=body)
