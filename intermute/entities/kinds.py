"""The seven kinds of work entities: specs, epics, stories, tasks, insights, sessions and user journeys."""

from intermute.entities.kind import Choice, Form, Kind, Member, lines, statuses

DONE = "done"
RUNNING = "running"

_TITLE = Member(name="title", always=True)

SPEC = Kind(
    name="spec",
    plural="specs",
    members=(
        _TITLE,
        Member(name="vision", form=Form.TEXT),
        Member(name="users", form=Form.TEXT),
        Member(name="problem", form=Form.TEXT),
        statuses("draft", "research", "validated", "archived"),
    ),
    filters={"status": "status"},
    created="spec.created",
    replaced="spec.updated",
    removed="spec.archived",
)

EPIC = Kind(
    name="epic",
    plural="epics",
    members=(
        Member(name="spec_id", form=Form.ID),
        _TITLE,
        Member(name="description", form=Form.TEXT),
        statuses("open", "in_progress", DONE),
    ),
    filters={"spec": "spec_id"},
    created="epic.created",
    replaced="epic.updated",
    removed="epic.deleted",
)

STORY = Kind(
    name="story",
    plural="stories",
    members=(
        Member(name="epic_id", form=Form.ID, always=True),
        _TITLE,
        *lines("acceptance_criteria"),
        statuses("todo", "in_progress", "review", DONE),
    ),
    filters={"epic": "epic_id"},
    created="story.created",
    replaced="story.updated",
    removed="story.deleted",
)

TASK = Kind(
    name="task",
    plural="tasks",
    members=(
        Member(name="story_id", form=Form.ID),
        _TITLE,
        Member(name="agent", form=Form.ID),
        Member(name="session_id", form=Form.ID),
        statuses("pending", RUNNING, "blocked", DONE),
    ),
    filters={"status": "status", "agent": "agent"},
    created="task.created",
    replaced="task.updated",
    removed="task.deleted",
    reached={DONE: "task.completed"},
)

INSIGHT = Kind(
    name="insight",
    plural="insights",
    members=(
        Member(name="spec_id", form=Form.ID),
        Member(name="source", always=True),
        Member(name="category", always=True),
        _TITLE,
        Member(name="body", form=Form.TEXT),
        Member(name="url"),
        Member(name="score", form=Form.NUMBER, always=True),
    ),
    filters={"spec": "spec_id", "category": "category"},
    versioned=False,
    replaceable=False,
    changed="",
    listed_by_birth=True,
    ranked="score",
    created="insight.created",
    removed="insight.deleted",
)

SESSION = Kind(
    name="session",
    plural="sessions",
    members=(
        Member(name="name", always=True),
        Member(name="agent", form=Form.ID, always=True),
        Member(name="task_id", form=Form.ID),
        statuses(RUNNING, "idle", "error"),
    ),
    filters={"status": "status"},
    versioned=False,
    born="started_at",
    listed_by_birth=True,
    created="session.started",
    replaced="session.updated",
    removed="session.stopped",
)

JOURNEY = Kind(
    name="cuj",
    plural="cujs",
    members=(
        Member(name="spec_id", form=Form.ID, always=True),
        _TITLE,
        Member(name="persona", form=Form.TEXT),
        Member(name="priority", choice=Choice(words=("high", "medium", "low"), default="medium")),
        Member(name="entry_point", form=Form.TEXT),
        Member(name="exit_point", form=Form.TEXT),
        Member(name="steps", form=Form.STEPS),
        *lines("success_criteria", "error_recovery"),
        statuses("draft", "validated", "archived"),
    ),
    filters={"spec": "spec_id"},
    own_version=True,
    ranked="priority",
    # The original sorts the words, and its clients know the list in that order.
    ranks={"high": 3.0, "low": 2.0, "medium": 1.0},
    created="cuj.created",
    replaced="cuj.updated",
    removed="cuj.archived",
    reached={"validated": "cuj.validated"},
)

KINDS = (SPEC, EPIC, STORY, TASK, INSIGHT, SESSION, JOURNEY)
