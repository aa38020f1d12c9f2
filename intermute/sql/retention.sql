-- retention.alone
-- Nobody else removes anything meanwhile; false when somebody does. The number is the word "prune".
SELECT pg_try_advisory_xact_lock(0x7072756e65)

-- retention.patience
-- Whoever serves a request goes first: it may hold what we want and want what we hold.
SET LOCAL lock_timeout = '250ms'

-- retention.by_index
-- A slice is small whatever the planner thinks of it: it must not read whole tables.
SELECT set_config(name, 'off', true) FROM unnest(ARRAY['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin']) AS name

-- retention.counter
-- Sends hold it while they change threads, so whoever holds it may change threads as well.
SELECT cursor FROM intermute.counter FOR UPDATE

-- retention.messages
-- Of the $3 messages behind cursor $1, removes those older than $2 that nobody who is still there has to read.
WITH slice AS MATERIALIZED (
    SELECT cursor, project, id, created_at, recipients || cc || bcc AS receivers FROM intermute.messages
    WHERE cursor > $1 ORDER BY cursor LIMIT $3
), spent AS MATERIALIZED (
    SELECT cursor, project, id, receivers FROM slice
    WHERE created_at < $2 AND NOT EXISTS (
        SELECT FROM unnest(receivers) AS receiver
        JOIN intermute.inbox ON inbox.agent = receiver AND inbox.project = slice.project AND inbox.cursor = slice.cursor
        JOIN intermute.agents ON agents.id = receiver AND agents.last_seen >= $2
        WHERE inbox.ack_at IS NULL AND (inbox.read_at IS NULL OR inbox.ack_required)
    )
), copies AS MATERIALIZED (
    SELECT DISTINCT receiver AS agent, project, cursor, id FROM spent, unnest(receivers) AS receiver
), removed AS (
    DELETE FROM intermute.messages USING spent WHERE messages.cursor = spent.cursor
    RETURNING messages.project, messages.thread_id, messages.sender || spent.receivers AS members
), inboxes AS (
    DELETE FROM intermute.inbox USING copies
    WHERE inbox.agent = copies.agent AND inbox.project = copies.project AND inbox.cursor = copies.cursor
), searched AS (
    DELETE FROM intermute.words USING spent WHERE words.cursor = spent.cursor
), poked AS (
    DELETE FROM intermute.pokes USING copies
    WHERE pokes.project = copies.project AND pokes.agent = copies.agent AND pokes.message_id = copies.id
), touched AS (
    -- Each member of a message once, however often it is named.
    SELECT project, thread_id, member, sum(messages) AS messages
    FROM (
        SELECT project, thread_id, member, 1 AS messages
        FROM removed, LATERAL (SELECT DISTINCT unnest(members) AS member) AS each_member
        WHERE thread_id <> ''
    ) AS single
    GROUP BY project, thread_id, member
)
SELECT
    (SELECT max(cursor) FROM slice) AS reached,
    (SELECT count(*) FROM slice WHERE created_at < $2) AS old,
    (SELECT count(*) FROM removed) AS removed,
    (
        SELECT coalesce(jsonb_agg(jsonb_build_array(project, member, thread_id, messages)), '[]') FROM touched
    ) AS threads

-- retention.threads
-- Threads of members ($1, as [project, member, thread, messages]) without the messages that were removed. The
-- inner query is planned for itself: else the newest messages of all threads are searched for the last of one.
UPDATE intermute.threads SET
    message_count = greatest(message_count - (gone ->> 3)::bigint, 0),
    last_cursor = coalesce((
        SELECT cursor
        FROM (
            SELECT cursor, sender || recipients || cc || bcc AS members FROM intermute.messages
            WHERE messages.project = threads.project AND messages.thread_id = threads.thread_id
                AND messages.thread_id <> ''
            ORDER BY cursor DESC OFFSET 0
        ) AS told
        WHERE threads.agent = ANY (members) LIMIT 1
    ), 0)
FROM jsonb_array_elements($1::jsonb) AS gone
WHERE threads.project = gone ->> 0 AND threads.agent = gone ->> 1 AND threads.thread_id = gone ->> 2

-- retention.empty_threads
DELETE FROM intermute.threads USING jsonb_array_elements($1::jsonb) AS gone
WHERE threads.project = gone ->> 0 AND threads.agent = gone ->> 1 AND threads.thread_id = gone ->> 2
    AND threads.last_cursor = 0

-- retention.events
-- Of the $3 events behind cursor $1, removes those older than $2. The last whole picture of an entity that is
-- still there stays.
WITH slice AS MATERIALIZED (
    SELECT cursor, project, type, at, data ->> 'entity_id' AS entity FROM intermute.events
    WHERE cursor > $1 ORDER BY cursor LIMIT $3
), removed AS (
    DELETE FROM intermute.events USING slice
    WHERE events.cursor = slice.cursor AND slice.at < $2 AND NOT (
        slice.entity IS NOT NULL
        AND slice.type <> ALL ($4::text[])
        AND EXISTS (
            SELECT FROM intermute.entities
            WHERE entities.kind = split_part(slice.type, '.', 1)
                AND entities.project = slice.project AND entities.id = slice.entity
        )
        AND NOT EXISTS (
            SELECT FROM intermute.events AS later
            WHERE later.project = slice.project AND later.data ->> 'entity_id' = slice.entity
                AND later.data ? 'entity_id' AND later.cursor > slice.cursor
                AND split_part(later.type, '.', 1) = split_part(slice.type, '.', 1)
                AND later.type <> ALL ($4::text[])
        )
    )
    RETURNING events.cursor
), thinned AS (
    UPDATE intermute.compacted SET through = (SELECT max(cursor) FROM removed)
    WHERE through < (SELECT max(cursor) FROM removed)
)
SELECT
    (SELECT max(cursor) FROM slice) AS reached,
    (SELECT count(*) FROM slice WHERE at < $2) AS old,
    (SELECT count(*) FROM removed) AS removed

-- retention.reservations
-- Of the reservations that ended before $2, the next $3 behind ($1, $4).
WITH slice AS MATERIALIZED (
    SELECT id, released_at FROM intermute.reservations
    WHERE released_at < $2 AND (released_at, id) > ($1, $4)
    ORDER BY released_at, id LIMIT $3
), removed AS (
    DELETE FROM intermute.reservations USING slice WHERE reservations.id = slice.id RETURNING slice.id
)
SELECT
    released_at AS reached_at, id AS reached_id, (SELECT count(*) FROM removed) AS removed
FROM slice ORDER BY released_at DESC, id DESC LIMIT 1

-- retention.vacuum_messages
VACUUM (ANALYZE) intermute.messages, intermute.inbox, intermute.threads, intermute.words

-- retention.vacuum_events
VACUUM (ANALYZE) intermute.events

-- retention.vacuum_reservations
VACUUM (ANALYZE) intermute.reservations
