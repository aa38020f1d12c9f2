"""The bot's token is in every URL and must be in no log and no error."""

import logging
import traceback

import pytest
import structlog

from bridges.messages import Part
from bridges.port import BridgeError, BridgeMisconfigured
from bridges.telegram import TelegramBridge, TelegramSettings
from bridges.telegram.errors import scrub
from storage.clock import SystemClock
from tests.bridges.telegram.letters import Letters, receiving
from tests.servers.telegram import TOKEN, TelegramServer

SECRET = TOKEN.partition(":")[2]


async def test_no_log_and_no_error_shows_the_token(
    server: TelegramServer, settings: TelegramSettings, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("httpx").setLevel(logging.DEBUG)  # as somebody who debugs would
    caplog.set_level(logging.DEBUG)
    server.add_chat(1000)
    server.drop_next("sendMessage")
    server.fail_next("sendMessage", 500, f"trouble at /bot{TOKEN}/sendMessage")
    server.fail_next("sendMessage", 403, f"Forbidden: you are {TOKEN}")
    shown = [repr(settings)]
    with structlog.testing.capture_logs() as logged:
        async with TelegramBridge(settings, SystemClock()).opened() as bridge, receiving(bridge, Letters()):
            await server.wait_for(lambda: server.polling == 1)
            for _ in range(3):
                with pytest.raises(BridgeError) as caught:
                    await bridge.send("tg:1000", Part(body="x", fallback="x"))
                shown += [*traceback.format_exception(caught.value), repr(caught.value)]
    assert [call.status for call in server.calls if call.method == "sendMessage"] == [0, 500, 403]
    for text in (*shown, caplog.text, repr(logged)):
        assert SECRET not in text


def test_scrubbing_leaves_the_rest() -> None:
    assert (
        scrub(f"GET /bot{TOKEN}/getMe and {SECRET} failed", TOKEN)
        == "GET /bot<token>/getMe and <token> failed"
    )


@pytest.mark.parametrize("token", ["", "abc", "123:", "123:a b", "123:abc\n", ":abc"])
def test_what_is_no_token_is_said_at_once(token: str) -> None:
    with pytest.raises(BridgeMisconfigured, match="does not look like one"):
        TelegramSettings(token=token)
