"""What every notice looks up stays as quick as it was when nothing had been told yet."""

import pytest

from storage import sql
from tests.host.decisions.office import Office

ASKED = [
    ("feed", "feed.recent_line", "'tg:1', 'phase.changed::run:tg:1:', now()", "posts_of_phases"),
    ("approvals", "approvals.same_last", "'gate::run:a>b'", "approvals_same"),
    ("approvals", "approvals.same_open", "'gate::run:a>b'", "approvals_"),
    ("approvals", "approvals.decided", "'', '', NULL, NULL, 20", "approvals_decided"),
    ("triage", "triage.waiting", "'main', now(), 20", "discoveries_waiting"),
    ("triage", "triage.open", "'main'", "approvals_"),
]


@pytest.mark.parametrize(("file", "name", "arguments", "index"), ASKED, ids=[row[1] for row in ASKED])
async def test_it_is_found_by_an_index_whatever_is_asked(
    office: Office, file: str, name: str, arguments: str, index: str
) -> None:
    async with office.database.transaction() as conn:
        # Tables as small as those of a test are read whole otherwise; plans shall not know the arguments.
        await conn.execute("SET LOCAL enable_seqscan = off")
        await conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await conn.execute(f"PREPARE lookup AS {sql.load('host', file)[name]}")
        rows = await conn.fetch(f"EXPLAIN EXECUTE lookup ({arguments})")
        await conn.execute("DEALLOCATE lookup")
    assert index in "\n".join(row[0] for row in rows)
