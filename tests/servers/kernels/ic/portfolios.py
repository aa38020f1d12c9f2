"""`ic portfolio dep`: which project of a portfolio waits for which."""

from tests.servers.kernels import shell
from tests.servers.kernels.ic import moves, rows
from tests.servers.kernels.ic import words as said
from tests.servers.kernels.ic.database import Database, stamp
from tests.servers.kernels.ic.words import Words


def portfolio(place: Database, words: list[str]) -> int:
    if words[:1] != ["dep"] or words[1:2] not in (["add"], ["list"], ["remove"]):
        said.usage("portfolio", "unknown subcommand", subcommand=" ".join(words[:2]))
    given = Words(words[2:])
    act = words[1]
    if not given.loose:
        said.misused(f"portfolio dep {act}: usage: ic portfolio dep {act} <portfolio-id>")
    db = place.open()
    run = moves.find(db, given.loose[0])
    if run is None:
        said.negative(f"portfolio dep {act}", ": portfolio not found", id=given.loose[0])
    if act == "list":
        found = db.execute("SELECT * FROM project_deps WHERE portfolio_run_id = ?", (run["id"],)).fetchall()
        rows.print_json(
            [rows.kept(one, "upstream_project", "downstream_project", "created_at") for one in found]
        )
        return 0
    upstream, downstream = given.text("upstream"), given.text("downstream")
    if not upstream or not downstream:
        said.usage(f"portfolio dep {act}", "--upstream and --downstream are required")
    if act == "add":
        if upstream == downstream:
            said.broken("portfolio dep add", "add dep: upstream and downstream cannot be the same")
        db.execute(
            "INSERT OR IGNORE INTO project_deps VALUES (?, ?, ?, ?)",
            (run["id"], upstream, downstream, stamp()),
        )
        shell.say("added")
    else:
        db.execute(
            "DELETE FROM project_deps WHERE portfolio_run_id = ? AND upstream_project = ? AND"
            " downstream_project = ?",
            (run["id"], upstream, downstream),
        )
        shell.say("removed")
    return 0
