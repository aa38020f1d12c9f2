"""`intercom up`: the host with all its parts, in the foreground."""

import asyncio
import os
import signal
import sys

import click

from host.cli.running import read_settings

FORCED = 130  #: exit code when a second signal did not wait
LAST_RESORT = 3.0  #: seconds the second signal leaves for cleaning up


@click.command()
def up() -> None:
    """Start the host: chat networks, agents, decisions. Ctrl-C stops it; what runs gets time to finish."""
    try:
        asyncio.run(_up())
    except asyncio.CancelledError:  # by the second signal
        sys.exit(FORCED)


async def _up() -> None:
    from host.terminal import Terminal

    settings = read_settings(quiet=False)
    terminal = Terminal(sys.stdout)
    stop = stop_on(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    from host.app import up

    await up(settings, terminal, stop)


def stop_on(*numbers: signal.Signals) -> asyncio.Event:
    """An event that the first of these signals sets. The second cancels everything; nothing keeps it."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    main = asyncio.current_task()

    def signalled() -> None:
        if not stop.is_set():
            stop.set()
            return
        loop.call_later(LAST_RESORT, os._exit, FORCED)
        if main is not None:
            main.cancel()

    for number in numbers:
        loop.add_signal_handler(number, signalled)
    return stop
