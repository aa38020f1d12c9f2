"""The command `intercom`: every command in a module of its own, imported when it is called."""

import sys
from importlib import import_module

import click

from host.cli.refusal import Refusal, told

#: name -> (where its click command is, one line for `intercom --help`); read without importing anything
COMMANDS = {
    "up": ("host.cli.up:up", "Start the host with all its parts."),
    "doctor": ("host.cli.doctor:doctor", "Check everything the host needs; say what mends it."),
    "link": ("host.cli.link:link", "Print a fresh one-time link to the page."),
    "group": ("host.cli.group:group", "Register chats as groups."),
    "role": ("host.cli.role:role", "Say who may do what in a group."),
    "spend": ("host.cli.spend:spend", "See what models cost, by day, group and model."),
    "approvals": ("host.cli.approvals:approvals", "See what waits for a person."),
    "kernel": ("host.cli.kernel:kernel", "Drive the embedded kernel: runs, gates, budgets, issues."),
    "intermute": (
        "host.cli.intermute:intermute",
        "The coordination service alone; its keys and retention.",
    ),
    "audit": ("host.cli.audit:audit", "Read and verify the audit log."),
    "image": ("host.cli.image:image", "Build, list and prune the agents' images."),
}


class LazyGroup(click.Group):
    """Knows its commands by name; imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name][0].split(":")
        found: click.Command = getattr(import_module(module), name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="intercom", prog_name="intercom")
def cli() -> None:
    """Intercom puts an agency of software agents into people's pockets: chat, containers, decisions.

    Exit codes: 0 fine, 1 failed, 2 wrong usage or settings.
    """


def main() -> None:
    """The entry point: errors become sentences on stderr and an exit code."""
    try:
        cli(prog_name="intercom")
    except Exception as error:
        refusal = told(error)
        if refusal is None:
            raise
        _leave(refusal)


def _leave(refusal: Refusal) -> None:
    for line in refusal.text.splitlines():
        click.echo(f"intercom: {line}", err=True)
    sys.exit(refusal.code)
