-- inbox.page
-- What came to agent $1 in project $2 behind cursor $3, $4 at most, and no more once its words are 4 MiB.
SELECT
    cursor, project, id, thread_id, sender, recipients, cc, bcc,
    subject, topic, body, importance, ack_required, created_at
FROM (
    SELECT message.*, sum(octet_length(message.body)) OVER (ORDER BY message.cursor) AS so_far
    FROM (
        SELECT cursor FROM intermute.inbox
        WHERE agent = $1 AND project = $2 AND cursor > $3
        ORDER BY cursor LIMIT $4
    ) AS boxed
    CROSS JOIN LATERAL (
        SELECT
            cursor, project, id, thread_id, sender, recipients, cc, bcc,
            subject, topic, body, importance, ack_required, created_at
        FROM intermute.messages WHERE messages.cursor = boxed.cursor LIMIT 1
    ) AS message
) AS page
WHERE so_far - octet_length(body) < 4194304
ORDER BY cursor

-- inbox.page_of_all
-- What came to agent $1 in all projects behind cursor $2, $3 at most.
WITH RECURSIVE places AS (
    (SELECT project FROM intermute.inbox WHERE agent = $1 ORDER BY project LIMIT 1)
    UNION ALL
    SELECT (
        SELECT inbox.project FROM intermute.inbox
        WHERE inbox.agent = $1 AND inbox.project > places.project
        ORDER BY inbox.project LIMIT 1
    )
    FROM places WHERE places.project IS NOT NULL
)
SELECT
    cursor, project, id, thread_id, sender, recipients, cc, bcc,
    subject, topic, body, importance, ack_required, created_at
FROM (
    SELECT message.*, sum(octet_length(message.body)) OVER (ORDER BY message.cursor) AS so_far
    FROM (
        SELECT boxed.cursor
        FROM places CROSS JOIN LATERAL (
            SELECT cursor FROM intermute.inbox
            WHERE agent = $1 AND project = places.project AND cursor > $2
            ORDER BY cursor LIMIT $3
        ) AS boxed
        ORDER BY boxed.cursor LIMIT $3
    ) AS boxed
    CROSS JOIN LATERAL (
        SELECT
            cursor, project, id, thread_id, sender, recipients, cc, bcc,
            subject, topic, body, importance, ack_required, created_at
        FROM intermute.messages WHERE messages.cursor = boxed.cursor LIMIT 1
    ) AS message
) AS page
WHERE so_far - octet_length(body) < 4194304
ORDER BY cursor

-- inbox.counts
SELECT count(*) AS total, count(*) FILTER (WHERE read_at IS NULL) AS unread
FROM intermute.inbox WHERE agent = $1 AND project = $2

-- inbox.stale
-- What agent $1 of project $2 was asked to acknowledge at $3 or before and has not, oldest first, $4 at most,
-- behind cursor $5.
SELECT kind, read_at, cursor, project, id, thread_id, sender, recipients, subject, body, created_at
FROM (
    SELECT *, sum(octet_length(body)) OVER (ORDER BY cursor) AS so_far
    FROM (
        SELECT boxed.kind, boxed.read_at, message.*
        FROM intermute.inbox AS boxed
        CROSS JOIN LATERAL (
            SELECT cursor, project, id, thread_id, sender, recipients, subject, body, created_at
            FROM intermute.messages WHERE messages.cursor = boxed.cursor LIMIT 1
        ) AS message
        WHERE boxed.agent = $1 AND boxed.project = $2 AND boxed.ack_required AND boxed.ack_at IS NULL
            AND boxed.cursor > $5 AND message.created_at <= $3
        ORDER BY boxed.cursor LIMIT $4
    ) AS waiting
) AS page
WHERE so_far - octet_length(body) < 4194304
ORDER BY cursor

-- inbox.topic
-- What was said in project $1 on topic $2 behind cursor $3, $4 at most.
SELECT
    cursor, project, id, thread_id, sender, recipients, cc, bcc,
    subject, topic, body, importance, ack_required, created_at
FROM (
    SELECT *, sum(octet_length(body)) OVER (ORDER BY cursor) AS so_far
    FROM (
        SELECT
            cursor, project, id, thread_id, sender, recipients, cc, bcc,
            subject, topic, body, importance, ack_required, created_at
        FROM intermute.messages
        WHERE project = $1 AND topic = $2 AND topic <> '' AND cursor > $3
        ORDER BY cursor LIMIT $4
    ) AS said
) AS page
WHERE so_far - octet_length(body) < 4194304
ORDER BY cursor
