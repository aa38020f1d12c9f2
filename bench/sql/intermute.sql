-- intermute.messages
-- Behind what is there already: each of a thousand agents has a thousandth of them.
INSERT INTO intermute.messages (cursor, project, id, sender, recipients, body, created_at)
SELECT n, 'bench', 'stored-' || n, 'sender-' || n % 32, ARRAY['agent-' || n % 1000], repeat('x', 512),
       now() - (($1::bigint + $2::bigint - n) || ' milliseconds')::interval
FROM generate_series($1::bigint + 1, $1::bigint + $2::bigint) AS n

-- intermute.inboxes
INSERT INTO intermute.inbox (project, agent, cursor, kind, ack_required)
SELECT 'bench', 'agent-' || n % 1000, n, 'to', false
FROM generate_series($1::bigint + 1, $1::bigint + $2::bigint) AS n

-- intermute.events
INSERT INTO intermute.events (cursor, project, type, audience, data, at)
SELECT n, 'bench', 'message.created', ARRAY['agent-' || n % 1000],
       jsonb_build_object('message_id', 'stored-' || n), now()
FROM generate_series($1::bigint + 1, $1::bigint + $2::bigint) AS n

-- intermute.count
UPDATE intermute.counter SET cursor = cursor + $1::bigint

-- intermute.word
-- The search has looked at all of them: it works behind the sends and is not what is measured.
UPDATE intermute.worded SET cursor = (SELECT cursor FROM intermute.counter)

-- intermute.head
SELECT cursor FROM intermute.counter

-- intermute.stored
SELECT count(*) FROM intermute.messages

-- intermute.reservations
-- Ten of each agent: nine files and, now and then, a folder with everything in it.
INSERT INTO intermute.reservations (
    id, project, agent, pattern, anchor, exclusive, token, created_at, expires_at
)
SELECT 'held-' || n, 'bench', 'holder-' || n / 10,
       CASE WHEN n % 10 = 0 THEN 'src/part-' || n || '/**' ELSE 'src/part-' || n / 10 * 10 || '/file-' || n || '.go' END,
       CASE WHEN n % 10 = 0 THEN 'src/part-' || n || '/' ELSE 'src/part-' || n / 10 * 10 || '/file-' || n || '.go/' END,
       true, n, now(), now() + interval '1 hour'
FROM generate_series($1::bigint + 1, $2::bigint) AS n
