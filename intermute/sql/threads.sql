-- threads.page
-- Threads of agent $2 in project $1 whose last message is before cursor $3, newest first, $4 at most.
SELECT thread.thread_id, thread.last_cursor, thread.message_count, last.sender, last.body, last.created_at
FROM (
    SELECT thread_id, last_cursor, message_count FROM intermute.threads
    WHERE project = $1 AND agent = $2 AND last_cursor < $3
    ORDER BY last_cursor DESC LIMIT $4
) AS thread
LEFT JOIN LATERAL (
    SELECT sender, left(body, 200) AS body, created_at
    FROM intermute.messages WHERE messages.cursor = thread.last_cursor LIMIT 1
) AS last ON true
ORDER BY thread.last_cursor DESC

-- threads.messages
-- Messages of thread $2 in project $1 behind cursor $3, $4 at most.
SELECT cursor, project, id, thread_id, sender, recipients, body, created_at
FROM (
    SELECT *, sum(octet_length(body)) OVER (ORDER BY cursor) AS so_far
    FROM (
        SELECT cursor, project, id, thread_id, sender, recipients, body, created_at
        FROM intermute.messages
        WHERE project = $1 AND thread_id = $2 AND thread_id <> '' AND cursor > $3
        ORDER BY cursor LIMIT $4
    ) AS said
) AS page
WHERE so_far - octet_length(body) < 4194304
ORDER BY cursor
