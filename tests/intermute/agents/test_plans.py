"""What every registration and request asks is found by an index, however many agents there are."""

from storage import sql
from storage.database import Database

AGENTS = """
INSERT INTO intermute.agents (id, project, session_id, name, token_hash, created_at, last_seen)
SELECT 'a' || n, 'p' || n % 20, gen_random_uuid()::text, 'x', sha256(n::text::bytea), now(), now()
FROM generate_series(1, 20000) AS n
"""


async def test_agents_are_found_by_id_session_and_token(database: Database) -> None:
    await database.execute(AGENTS)
    await database.execute("ANALYZE intermute.agents")
    statements = sql.load("intermute", "agents", "standings")
    asked = {
        "agents.claimed": "'a7', '0d9c1b6e-93f7-4c1e-8c47-8b6f0e3f6a11', now()",
        "standings.of": "'{a1,a2,a3}'",
        "standings.touch": "'{a1,a2}', '{p1,NULL}', now()",
        "standings.owner": "'x'",
    }
    async with database.connection() as conn:
        # A plan that has to do for all arguments is the hardest to find an index for.
        await conn.execute("SET plan_cache_mode = force_generic_plan")
        for number, (name, arguments) in enumerate(asked.items()):
            await conn.execute(f"PREPARE asked_{number} AS {statements[name]}")
            plan = await conn.fetch(f"EXPLAIN EXECUTE asked_{number} ({arguments})")
            assert not any("Seq Scan on agents" in row[0] for row in plan), (name, plan)
        await conn.execute("RESET plan_cache_mode; DEALLOCATE ALL")
