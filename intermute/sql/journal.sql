-- journal.append
-- $1 events as JSON, $2 when; takes the counter, numbers them in order and wakes who listens.
WITH given AS MATERIALIZED (
    SELECT ordinality AS number, event
    FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS given (event, ordinality)
), taken AS (
    UPDATE intermute.counter SET cursor = cursor + (SELECT count(*) FROM given) RETURNING cursor
), first AS (
    SELECT cursor - (SELECT count(*) FROM given) AS cursor FROM taken
), written AS (
    INSERT INTO intermute.events (cursor, project, type, audience, data, at)
    SELECT
        first.cursor + given.number,
        event ->> 'project',
        event ->> 'type',
        CASE
            WHEN jsonb_typeof(event -> 'audience') = 'array'
            THEN ARRAY (SELECT jsonb_array_elements_text(event -> 'audience'))
        END,
        event -> 'data',
        $2
    FROM given CROSS JOIN first
)
SELECT first.cursor, pg_notify('intermute_events', (first.cursor + (SELECT count(*) FROM given))::text) FROM first

-- journal.head
SELECT cursor FROM intermute.counter

-- journal.project
INSERT INTO intermute.projects (name, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING

-- journal.after
-- All events after cursor $1 up to $2, in order, $3 at most.
SELECT cursor, project, type, audience, data, at FROM intermute.events
WHERE cursor > $1 AND cursor <= $2
ORDER BY cursor LIMIT $3

-- journal.oldest
-- From here on the log is complete; retention may leave single events before it.
SELECT coalesce((
    SELECT cursor FROM intermute.events
    WHERE cursor > (SELECT through FROM intermute.compacted) ORDER BY cursor LIMIT 1
), 0)

-- journal.stretch
-- Events of project $1 after cursor $2 up to $3 (NULL: all) that agent $4 may hear (NULL: all of them) of the
-- types $5 (NULL: all). Looks at $6 events of the project and gives $7 of them at most. The last row is no event:
-- its cursor is how far it looked, and `more` whether there may be something behind that.
WITH looked AS (
    SELECT cursor, project, type, audience, data, at FROM intermute.events
    WHERE project = $1 AND cursor > $2 AND ($3::bigint IS NULL OR cursor <= $3)
    ORDER BY cursor LIMIT $6
), heard AS (
    SELECT * FROM looked
    WHERE ($4::text IS NULL OR audience IS NULL OR $4 = ANY (audience)) AND ($5::text[] IS NULL OR type = ANY ($5))
    ORDER BY cursor LIMIT $7
), reach AS (
    SELECT
        CASE WHEN count(*) < $6 THEN coalesce($3, (SELECT cursor FROM intermute.counter)) ELSE max(cursor) END
            AS cursor,
        count(*) >= $6 AS more
    FROM looked
)
SELECT cursor, project, type, audience, data, at, false AS more, 1 AS place FROM heard
UNION ALL
SELECT cursor, NULL, NULL, NULL, NULL, NULL, more, 2 FROM reach
ORDER BY place, cursor
