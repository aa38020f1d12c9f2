"""From the words of a command to what does it. Global flags may stand anywhere, as in the real one."""

from __future__ import annotations

from tests.servers.kernels import shell
from tests.servers.kernels.ic import words as said
from tests.servers.kernels.ic.database import Database

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VERSION = "0.3.5"
SCHEMA = 40
#: command -> (module, function); a function takes the database's place and the words behind the command
_COMMANDS: Mapping[str, str] = {
    "state": "state",
    "run": "runs",
    "events": "events",
    "gate": "gates",
    "discovery": "discoveries",
    "dispatch": "dispatches",
    "config": "config",
    "autonomy": "config",
    "portfolio": "portfolios",
}
#: commands of the real one that nobody here calls; a test that needs one should fail loudly
_LEFT_OUT = frozenset(
    [
        "action",
        "agency",
        "authz",
        "compat",
        "coordination",
        "cost",
        "goal",
        "interspect",
        "landed",
        "lane",
        "lock",
        "publish",
        "receipt",
        "route",
        "scheduler",
        "sentinel",
        "session",
        "situation",
        "usage",
    ]
)


def main(words: list[str]) -> int:
    place = Database()
    rest = _globals(words, place)
    if not rest:
        shell.say("ic — intercore state database CLI\n\nUsage: ic [flags] <command> [args]")
        return 0
    command, *rest = rest
    if command in {"init", "version", "health"}:
        return {"init": _init, "version": _version, "health": _health}[command](place)
    if command in _LEFT_OUT:
        shell.complain(f"fake ic: {command} is not made")
        return 99
    if command not in _COMMANDS:
        said.log("ERROR", "unknown command", command=command)
        shell.say("ic — intercore state database CLI\n\nUsage: ic [flags] <command> [args]")
        return 3
    # Only what this command needs is loaded.
    module = __import__(f"tests.servers.kernels.ic.{_COMMANDS[command]}", fromlist=[command])
    return _guarded(command, lambda: getattr(module, command)(place, rest))


def _guarded(command: str, work: Callable[[], int]) -> int:
    from _sqlite3 import Error

    try:
        return int(work())
    except Error as error:
        said.log("ERROR", f"{command} failed", error=_words(error))
        return 2


def _words(error: Exception) -> str:
    """As the real one's SQLite names it."""
    text = str(error)
    known = {
        "database is locked": "database is locked (5) (SQLITE_BUSY)",
        "unable to open database file": "unable to open database file: out of memory (14)",
        "file is not a database": "file is not a database (26)",
        "database disk image is malformed": "database disk image is malformed (11)",
    }
    if text.startswith("no such table"):
        return f"SQL logic error: {text} (1)"
    return known.get(text, text)


def _globals(words: list[str], place: Database) -> list[str]:
    rest: list[str] = []
    given = iter(words)
    for word in given:
        if word == "--db":
            path = next(given, None)
            place.given = path or place.given
        elif not _is_global(word, place):
            rest.append(word)
    return rest


def _is_global(word: str, place: Database) -> bool:
    if word.startswith("--db="):
        place.given = word[5:]
    elif word.startswith("--timeout="):
        timeout = said.seconds(word[10:])
        if timeout is None:
            shell.complain(f"ic: invalid timeout: {word[10:]}")
            raise shell.Ended(3)
        place.timeout = timeout or place.timeout
    elif word == "--json":
        place.json = True
    else:
        return word in {"--verbose", "-vv"}
    return True


def _init(place: Database) -> int:
    def work() -> int:
        path = place.make()
        shell.say(f"initialized {path} (schema v{SCHEMA})")
        return 0

    return _guarded("init", work)


def _version(place: Database) -> int:
    shell.say(f"ic {VERSION}")
    try:
        shell.say(f"schema: v{place.version()}")
    except Exception:  # noqa: BLE001 - whatever is wrong with the database, the version is known
        shell.say("schema: unknown (no database)")
    return 0


def _health(place: Database) -> int:
    def work() -> int:
        if not place.version():
            said.broken("health", "database not migrated — run 'ic init'")
        shell.say("ok")
        return 0

    return _guarded("health", work)
