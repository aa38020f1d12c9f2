"""The Telegram bridge against a strict Bot API server."""
