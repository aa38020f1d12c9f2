"""The log: one line per event, and no secret in any of them."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from host.logging import Redactor, configure

TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    configure("info", [TOKEN], stream)
    yield stream
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    root.handlers[:] = before
    root.setLevel(level)


def test_an_event_is_one_json_line_with_its_fields(lines: io.StringIO) -> None:
    structlog.get_logger().info("turn.started", lane="main", attempt=1)
    (line,) = lines.getvalue().splitlines()
    event = json.loads(line)
    assert event["event"] == "turn.started"
    assert event["level"] == "info"
    assert event["lane"] == "main"
    assert event["attempt"] == 1
    assert event["timestamp"].endswith("Z")


def test_an_exception_stays_on_one_line_and_loses_its_secrets(lines: io.StringIO) -> None:
    try:
        raise RuntimeError(f"cannot reach https://example.org/bot{TOKEN}/getMe")
    except RuntimeError:
        structlog.get_logger().exception("bridge.failed")
    (line,) = lines.getvalue().splitlines()
    assert TOKEN not in line
    assert "RuntimeError" in json.loads(line)["exception"]


def test_libraries_are_heard_from_warnings_on(lines: io.StringIO) -> None:
    logging.getLogger("httpx").info("HTTP Request: POST https://example.org/bot%s/getUpdates", TOKEN)
    logging.getLogger("docker").warning("slow answer to bot%s", TOKEN)
    (line,) = lines.getvalue().splitlines()
    event = json.loads(line)
    assert event["logger"] == "docker"
    assert TOKEN not in line


@pytest.mark.parametrize("name", ["token", "api_token", "cookie", "code", "claim_code", "link", "password"])
def test_fields_named_like_secrets_are_blotted_out(name: str) -> None:
    assert Redactor()(None, "info", {name: "K7Q2MD"}) == {name: "***"}


def test_secrets_hide_in_nested_values_and_urls() -> None:
    redacted = Redactor()(
        None,
        "info",
        {
            "url": "postgresql://intercom:hunter2@db/intercom",
            "page": "http://127.0.0.1:8765/?token=abcdef",
            "nested": {"deep": [f"bot{TOKEN}", SecretStr("hush")], "cookie": "x"},
            "exit_code": 137,
        },
    )
    assert redacted["exit_code"] == 137
    text = repr(redacted)
    for secret in ("hunter2", "abcdef", TOKEN, "hush"):
        assert secret not in text
    assert "intercom:***@db" in text


@given(st.recursive(st.text() | st.just(TOKEN) | st.binary(), lambda inner: st.lists(inner, max_size=3)))
def test_a_known_secret_never_survives(value: object) -> None:
    assert TOKEN not in repr(Redactor([TOKEN])(None, "info", {"value": value}))
