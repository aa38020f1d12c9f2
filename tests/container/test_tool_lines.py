"""Tool calls in one line, from what each of the agents says of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from container.tool_lines import LONGEST_LINE, ToolCall, own_tool, tool_line

TOOLS = frozenset({"demarch_create_issue", "send_message"})


@pytest.mark.parametrize(
    ("title", "kind", "given_", "places", "line"),
    [
        # as Claude Code says it
        ("ls -la", "execute", {"command": "ls -la", "description": "List"}, [], "Run: `ls -la`"),
        ("Terminal", "execute", {}, [], "Run: `Terminal`"),
        ("Read a.py (1 - 20)", "read", {"file_path": "/w/a.py"}, ["/w/a.py"], "Read: /w/a.py"),
        ("Write a.py", "edit", {"file_path": "/w/a.py", "content": "x"}, [], "Edit: /w/a.py"),
        ('grep -n "TODO" src', "search", {"pattern": "TODO", "path": "src"}, ["src"], "Search: TODO"),
        ("Fetch https://x.example/", "fetch", {"url": "https://x.example/", "prompt": "?"}, [],
         "Fetch: https://x.example/"),
        ('"weather"', "fetch", {"query": "weather"}, [], "Fetch: weather"),
        ("Look around", "think", {"description": "Look around", "prompt": "…"}, [], "Task: Look around"),
        ("mcp__intercom__demarch_create_issue", "other", {"title": "x"}, [], "demarch_create_issue"),
        # as Codex says it
        ("rg --files", "execute", {"command": "rg --files", "cwd": "/w"}, [], "Run: `rg --files`"),
        ("rg --files", "execute", {"command": ["rg", "--files"]}, [], "Run: `rg --files`"),
        ("Read file 'a.py'", "read", None, ["/w/a.py"], "Read: /w/a.py"),
        ("Search for x", "search", None, [], "Search for x"),
        ("mcp.intercom.send_message", "execute", {"server": "intercom"}, [], "send_message"),
        ("Edit files", "edit", None, [], "Edit files"),
        # as Gemini says it: no arguments, but a title
        ("npm test", "execute", None, [], "Run: `npm test`"),
        ("src/a.py", "read", None, [], "Read: src/a.py"),
        ("send_message (intercom MCP Server)", "other", None, [], "send_message"),
        # as anybody may
        ("looking up the current sprint", "", None, [], "looking up the current sprint"),
        ("", "", None, [], "using a tool"),
        ("", "read", None, [], "using a tool"),
        ("two\nlines\x1b[31m", "other", None, [], "two lines [31m"),
        ("odd", "other", {"a": "b" * 200}, [], 'odd: {"a":"' + "b" * 73 + "…"),
        ("x", "execute", {"command": 7}, [], "Run: `x`"),
        ("mcp__other__send_message", "other", None, [], "mcp__other__send_message"),
        ("mcp__intercom__rm", "other", None, [], "mcp__intercom__rm"),
    ],
)  # fmt: skip
def test_a_call_is_told_in_one_line(title: str, kind: str, given_: Any, places: list[str], line: str) -> None:
    assert tool_line(ToolCall(title=title, kind=kind, given=given_, places=tuple(places)), TOOLS) == line


def test_what_is_said_later_is_added_to_what_was_said() -> None:
    call = ToolCall().told("Terminal", "execute", {}, [])
    call = call.told(None, None, {"command": "make"}, [])
    call = call.told("make", None, None, [])
    assert tool_line(call, TOOLS) == "Run: `make`"


def test_what_is_remembered_of_a_call_is_bounded() -> None:
    long = "x" * 1_000_000
    call = ToolCall().told(long, long, {"command": long}, [long] * 1000)
    kept = (call.title, call.kind, call.given, *call.places)
    assert sum(map(len, kept)) < 500_000


@pytest.mark.parametrize(
    "title",
    [
        "run mcp__intercom__send_message",
        "mcp__intercom__send_message; rm -rf /",
        "intercom send_message",
        "send_message",
    ],
)
def test_only_the_exact_names_of_our_tools_are_taken_for_them(title: str) -> None:
    assert own_tool(title, TOOLS) == ""


@given(
    st.text(),
    st.sampled_from(["", "execute", "read", "search", "think", "nonsense"]),
    st.recursive(
        st.none() | st.text() | st.integers(), lambda x: st.dictionaries(st.text(), x) | st.lists(x)
    ),
    st.lists(st.text(), max_size=2),
)
def test_whatever_an_agent_says_it_is_one_short_line(
    title: str, kind: str, said: Any, places: list[str]
) -> None:
    line = tool_line(ToolCall(title=title, kind=kind, given=said, places=tuple(places)), TOOLS)
    assert 0 < len(line) <= LONGEST_LINE
    assert line.isprintable()
