"""`python -m tests.servers.telegram --port N`: the server in a process of its own, with /control/."""

import argparse
import asyncio
import json
import sys
from contextlib import suppress

from tests.servers.telegram.control import serve
from tests.servers.telegram.server import TOKEN


def main() -> None:
    parser = argparse.ArgumentParser(description="A strict Telegram Bot API server for tests and benchmarks.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", default=TOKEN)
    given = parser.parse_args()

    def ready(url: str) -> None:
        sys.stdout.write(json.dumps({"url": url, "token": given.token}) + "\n")
        sys.stdout.flush()

    with suppress(KeyboardInterrupt):
        asyncio.run(serve(given.port, given.token, ready))


if __name__ == "__main__":
    main()
