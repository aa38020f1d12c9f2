"""Named SQL: statements live in `PART/sql/NOUN.sql`, each under a heading line `-- noun.verb`.

Lines between a heading and its statement that start with `--` are its comment; they stay in the text and
cost nothing. A heading stands alone on its line.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from storage.errors import BadStatements

HEADING = re.compile(r"^--[ \t]*([a-z][a-z0-9_]*\.[a-z][a-z0-9_]*)[ \t]*$", re.MULTILINE)


class Statements(dict[str, str]):
    """Statements by name; a wrong name says which ones there are."""

    def __missing__(self, name: str) -> str:
        raise BadStatements(f"no statement {name!r}; there are {', '.join(sorted(self)) or 'none'}")


def load(package: str, *names: str) -> Mapping[str, str]:
    """Read `PACKAGE/sql/NAME.sql` for each name into one mapping of `noun.verb` to SQL."""
    statements = Statements()
    for name in names:
        found = _read(package, name)
        if doubled := statements.keys() & found.keys():
            raise BadStatements(f"{package}/sql/{name}.sql repeats {', '.join(sorted(doubled))}")
        statements.update(found)
    return statements


def parse(text: str, source: str = "SQL") -> Mapping[str, str]:
    """Split the text of a `.sql` file at its headings."""
    before, *blocks = HEADING.split(text)
    if any(line.strip() and not line.lstrip().startswith("--") for line in before.splitlines()):
        raise BadStatements(f"{source} has SQL before the first heading `-- noun.verb`")
    statements = Statements()
    for name, body in zip(blocks[::2], blocks[1::2], strict=True):
        if name in statements:
            raise BadStatements(f"{source} has two statements named {name}")
        if not _has_sql(body):
            raise BadStatements(f"{source} has nothing under {name}")
        statements[name] = body.strip().removesuffix(";")
    return statements


def _has_sql(body: str) -> bool:
    return any(line.strip() and not line.lstrip().startswith("--") for line in body.splitlines())


@cache
def _read(package: str, name: str) -> Mapping[str, str]:
    source = f"{package}/sql/{name}.sql"
    try:
        text = files(package).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    except (OSError, ModuleNotFoundError) as error:
        raise BadStatements(f"{source} cannot be read: {error}") from error
    return parse(text, source)
