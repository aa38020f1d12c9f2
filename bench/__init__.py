"""The benchmark: a real host, a real Docker, a real PostgreSQL, and a faithful Telegram on loopback."""
