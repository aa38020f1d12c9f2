"""`issue …`: what people know from `bd`."""

import click

from demarch.embedded import dependencies
from demarch.embedded.ledger import Change
from demarch.kernel import Outcome
from demarch.terminal.shell import Answer, Session, answered, command

STATUS = click.option("--status", "-s", help="Only this status; “all” includes closed ones.")
LIMIT = click.option("--limit", "-n", type=click.IntRange(1, 100), default=50, show_default=True)


@click.group("issue", help="Issues (beads).")
def issue() -> None: ...


@command(issue, "create")
@click.argument("title")
@click.option("--description", "-d")
@click.option("--priority", "-p", help="0 (critical) to 4 (backlog), or P0 to P4.")
@click.option("--type", "-t", "issue_type", help="task, bug, feature, epic, …")
@click.option("--labels", "-l", help="Separated by commas.")
async def create(
    session: Session,
    title: str,
    description: str | None,
    priority: str | None,
    issue_type: str | None,
    labels: str | None,
) -> Answer:
    """File an issue."""
    return answered(
        await session.call(
            "create_issue",
            title=title,
            description=description,
            priority=priority,
            issue_type=issue_type,
            labels=labels,
        )
    )


@command(issue, "update")
@click.argument("issue_id", metavar="ID")
@click.option("--status", "-s")
@click.option("--priority", "-p")
@click.option("--title")
@click.option("--description", "-d")
@click.option("--append-notes", "notes")
async def update(session: Session, /, issue_id: str, **changes: str | None) -> Answer:
    """Change an issue."""
    return answered(await session.call("update_issue", id=issue_id, **changes))


@command(issue, "close")
@click.argument("issue_id", metavar="ID")
@click.option("--reason", "-r")
async def close(session: Session, issue_id: str, reason: str | None) -> Answer:
    """Close an issue."""
    return answered(await session.call("close_issue", id=issue_id, reason=reason))


@command(issue, "show")
@click.argument("issue_id", metavar="ID")
async def show(session: Session, issue_id: str) -> Answer:
    """Show one issue."""
    return answered(await session.call("search_beads", id=issue_id), of="issues")


@command(issue, "list")
@STATUS
@LIMIT
async def list_(session: Session, status: str | None, limit: int) -> Answer:
    """List issues by priority and age."""
    return answered(await session.call("search_beads", status=status, limit=limit), of="issues")


@command(issue, "ready")
@LIMIT
async def ready(session: Session, limit: int) -> Answer:
    """List what can be worked on, with the reason."""
    return answered(await session.call("next_work", limit=limit), of="issues")


@command(issue, "search")
@click.argument("query")
@STATUS
@LIMIT
async def find(session: Session, query: str, status: str | None, limit: int) -> Answer:
    """Find issues by words in title, description or id."""
    return answered(await session.call("search_beads", query=query, status=status, limit=limit), of="issues")


@issue.group("dep", help="What waits for what.")
def dep() -> None: ...


@command(dep, "add")
@click.argument("issue_id", metavar="ID")
@click.argument("depends_on")
@click.option("--type", "-t", "kind", default="blocks", show_default=True, help="blocks, parent-child, …")
async def depend(session: Session, issue_id: str, depends_on: str, kind: str) -> Answer:
    """Let ID wait for DEPENDS_ON (or be its child, with --type parent-child)."""

    async def work(change: Change) -> Outcome:
        edge = await dependencies.add(change, issue_id, depends_on, kind)
        verb = {"blocks": "waits for", "parent-child": "is part of"}.get(kind, f"is {kind}")
        again = "" if edge["added"] else " already"
        return Outcome(text=f"{edge['issue_id']} {verb} {edge['depends_on_id']}{again}.", data=edge)

    return answered(await session.change(work))


@command(dep, "remove")
@click.argument("issue_id", metavar="ID")
@click.argument("depends_on")
async def undepend(session: Session, issue_id: str, depends_on: str) -> Answer:
    """Let ID depend on DEPENDS_ON no more."""

    async def work(change: Change) -> Outcome:
        edge = await dependencies.remove(change, issue_id, depends_on)
        return Outcome(text=f"{edge['issue_id']} no longer depends on {edge['depends_on_id']}.", data=edge)

    return answered(await session.change(work))
