"""Telegram, on the Bot class of python-telegram-bot. Importing this imports that library: do it late."""

from bridges.telegram.bridge import TelegramBridge
from bridges.telegram.settings import TelegramSettings

__all__ = ["TelegramBridge", "TelegramSettings"]
