-- history.turns
-- The newest turns of a lane after one and up to another, newest first; `any_tainted` is about all of them.
SELECT t.id, t.state, bool_or(t.tainted) OVER () AS any_tainted
FROM host.turns t
WHERE t.lane = $1 AND t.id > $2 AND t.id IS DISTINCT FROM $3 AND t.state <> 'running'
ORDER BY t.id DESC LIMIT $4

-- history.last
SELECT id FROM host.turns WHERE lane = $1 AND id > $2 AND state <> 'running' ORDER BY id DESC LIMIT 1

-- history.words
-- What was said in some turns, by people, agents and the host, in order; long texts cut.
SELECT * FROM (
    SELECT m.id, m.turn, m.source, coalesce(nullif(m.person_name, ''), m.person, '') AS name,
        coalesce(CASE WHEN m.source = 'host' THEN m.ref END, '') AS code, left(m.text, $2) AS text, m.sent_at AS at
    FROM host.messages m WHERE m.turn = ANY($1::uuid[])
    UNION ALL
    SELECT p.id, p.turn, CASE WHEN t.state = 'done' THEN 'agent' ELSE 'host' END, '', '',
        left(p.content->>'text', $2), p.created_at
    FROM host.posts p JOIN host.turns t ON t.id = p.turn
    WHERE p.turn = ANY($1::uuid[]) AND p.kind = 'answer' AND p.content->>'text' <> ''
) AS words ORDER BY id

-- history.whole
-- A conversation for its archive: its turns' newest words in order, also of one that is just ending.
SELECT * FROM (
    SELECT * FROM (
        SELECT m.id, m.source, coalesce(nullif(m.person_name, ''), m.person, '') AS name,
            left(m.text, $3) AS text, m.sent_at AS at
        FROM host.messages m JOIN host.turns t ON t.id = m.turn
        WHERE t.lane = $1 AND t.id > $2
        UNION ALL
        SELECT p.id, CASE WHEN t.state = 'done' OR p.slot IS NULL THEN 'agent' ELSE 'host' END, '',
            left(p.content->>'text', $3), p.created_at
        FROM host.posts p JOIN host.turns t ON t.id = p.turn
        WHERE t.lane = $1 AND t.id > $2 AND p.kind = 'answer' AND p.content->>'text' <> ''
    ) AS words ORDER BY id DESC LIMIT $4
) AS newest ORDER BY id
