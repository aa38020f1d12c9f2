"""A strict fake of Telegram's Bot API, in-process (`TelegramServer.running()`) or as a program of its own."""

from tests.servers.telegram.server import TOKEN, TelegramServer
from tests.servers.telegram.world import BOT_ID, BOT_NAME

__all__ = ["BOT_ID", "BOT_NAME", "TOKEN", "TelegramServer"]
