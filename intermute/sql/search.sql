-- search.words
-- How many words the query comes to: the little ones do not count.
SELECT numnode(websearch_to_tsquery('pg_catalog.english', $1))

-- search.patience
SELECT set_config('statement_timeout', $1, true), set_config('plan_cache_mode', 'force_custom_plan', true)

-- search.page
-- Messages of project $1 with the words of $2, before cursor $3, newest first, $4 at most; with $5 only those
-- that agent sent or got. $6 is the project as a lexeme. Behind the mark the words are still to be put down.
WITH mark AS MATERIALIZED (
    SELECT cursor FROM intermute.worded
), query AS MATERIALIZED (
    SELECT websearch_to_tsquery('pg_catalog.english', $2) && $6::text::tsquery AS wanted
), young AS MATERIALIZED (
    SELECT cursor FROM intermute.messages
    WHERE cursor > (SELECT cursor FROM mark) AND cursor < $3 AND project = $1
        AND intermute.words_of(project, subject, body) @@ (SELECT wanted FROM query)
        AND ($5 = '' OR sender = $5 OR $5 = ANY (recipients || cc || bcc))
    ORDER BY cursor DESC LIMIT $4
), old AS MATERIALIZED (
    SELECT words.cursor
    FROM intermute.words
    WHERE words.words @@ (websearch_to_tsquery('pg_catalog.english', $2) && $6::text::tsquery)
        AND words.cursor < $3
        AND EXISTS (
            SELECT FROM intermute.messages
            WHERE messages.cursor = words.cursor AND project = $1
                AND ($5 = '' OR sender = $5 OR $5 = ANY (recipients || cc || bcc))
        )
    ORDER BY words.cursor DESC LIMIT $4
)
SELECT
    cursor, project, id, thread_id, sender, recipients, cc, bcc,
    subject, topic, body, importance, ack_required, created_at
FROM (
    SELECT *, sum(octet_length(body)) OVER (ORDER BY cursor DESC) AS so_far
    FROM (
        SELECT
            cursor, project, id, thread_id, sender, recipients, cc, bcc,
            subject, topic, body, importance, ack_required, created_at
        FROM intermute.messages
        WHERE cursor IN (SELECT cursor FROM young UNION ALL SELECT cursor FROM old)
        ORDER BY cursor DESC LIMIT $4
    ) AS found
) AS page
WHERE so_far - octet_length(body) < 4194304
ORDER BY cursor DESC

-- search.put_down
-- The words of the next $1 messages; answers how many there were and how many are left.
WITH mark AS MATERIALIZED (
    SELECT cursor FROM intermute.worded FOR UPDATE
), due AS MATERIALIZED (
    SELECT cursor, project, subject, body FROM intermute.messages
    WHERE cursor > (SELECT cursor FROM mark)
    ORDER BY cursor LIMIT $1
), put AS (
    INSERT INTO intermute.words (cursor, words)
    SELECT cursor, intermute.words_of(project, subject, body) FROM due
    ON CONFLICT DO NOTHING
), moved AS (
    UPDATE intermute.worded SET cursor = (SELECT max(cursor) FROM due) WHERE EXISTS (SELECT FROM due)
)
SELECT count(*) AS done FROM due

-- search.behind
-- Cursors between the last event and the mark: at least as many as there are messages to put down.
SELECT counter.cursor - worded.cursor FROM intermute.counter CROSS JOIN intermute.worded
