-- transcript.page
-- Messages and posts of a group older than a given one, newest first. A card that stands in several chats
-- is one entry: the one on the page if there is one, else the first.
SELECT * FROM (
    (SELECT m.id, m.folder, 'message' AS kind, m.address, m.person, m.person_name, m.text, m.ref,
        NULL::jsonb AS content, NULL::uuid AS picture, '{}'::text[] AS refs, 1 AS version, 1 AS sent_version,
        NULL::text AS failed, NULL::uuid AS approval, m.turn, m.sent_at AS at,
        (SELECT jsonb_agg(jsonb_build_object('handle', a.handle, 'name', a.name, 'mime', a.mime, 'size', a.size,
            'refused', a.refused) ORDER BY a.place) FROM host.attachments a WHERE a.message = m.id) AS files,
        CASE WHEN m.source <> 'person' OR NOT m.triggers THEN '' WHEN m.turn IS NOT NULL THEN 'read'
            WHEN EXISTS (SELECT FROM host.turns t WHERE t.lane = m.lane AND t.state = 'running') THEN 'queued'
            ELSE '' END AS reading
    FROM host.messages m
    WHERE m.folder = $1 AND m.source <> 'host' AND ($2::uuid IS NULL OR m.id < $2)
    ORDER BY m.id DESC LIMIT $3)
    UNION ALL
    (SELECT p.id, p.folder, p.kind, p.address, NULL, NULL, NULL, NULL,
        p.content, p.picture, p.refs, p.version, p.sent_version, p.failed, p.approval, p.turn, p.created_at,
        (SELECT jsonb_build_array(jsonb_build_object('handle', f.id, 'name', f.name, 'mime', f.mime,
            'size', octet_length(f.content))) FROM host.files f WHERE f.id = p.file), ''
    FROM host.posts p
    WHERE p.folder = $1 AND ($2::uuid IS NULL OR p.id < $2)
        AND (p.content->>'text' <> '' OR p.picture IS NOT NULL OR p.file IS NOT NULL OR p.content->'buttons' <> '[]'
            OR p.content->>'activity' <> '')
        AND (p.kind <> 'decision' OR p.approval IS NULL OR NOT EXISTS (
            SELECT FROM host.posts q WHERE q.approval = p.approval AND q.kind = 'decision' AND q.folder = p.folder
                AND (q.address NOT LIKE 'web:%', q.id) < (p.address NOT LIKE 'web:%', p.id)))
    ORDER BY p.id DESC LIMIT $3)
) AS entries ORDER BY id DESC LIMIT $3

-- transcript.entry
SELECT m.id, m.folder, 'message' AS kind, m.address, m.person, m.person_name, m.text, m.ref,
    NULL::jsonb AS content, NULL::uuid AS picture, '{}'::text[] AS refs, 1 AS version, 1 AS sent_version,
    NULL::text AS failed, NULL::uuid AS approval, m.turn, m.sent_at AS at,
        (SELECT jsonb_agg(jsonb_build_object('handle', a.handle, 'name', a.name, 'mime', a.mime, 'size', a.size,
            'refused', a.refused) ORDER BY a.place) FROM host.attachments a WHERE a.message = m.id) AS files,
        CASE WHEN m.source <> 'person' OR NOT m.triggers THEN '' WHEN m.turn IS NOT NULL THEN 'read'
            WHEN EXISTS (SELECT FROM host.turns t WHERE t.lane = m.lane AND t.state = 'running') THEN 'queued'
            ELSE '' END AS reading
FROM host.messages m WHERE m.folder = $1 AND m.id = $2 AND m.source <> 'host'
UNION ALL
SELECT p.id, p.folder, p.kind, p.address, NULL, NULL, NULL, NULL,
    p.content, p.picture, p.refs, p.version, p.sent_version, p.failed, p.approval, p.turn, p.created_at,
        (SELECT jsonb_build_array(jsonb_build_object('handle', f.id, 'name', f.name, 'mime', f.mime,
            'size', octet_length(f.content))) FROM host.files f WHERE f.id = p.file), ''
FROM host.posts p WHERE p.folder = $1 AND p.id = $2

-- transcript.last
SELECT greatest(
    (SELECT id FROM host.messages WHERE folder = $1 AND source <> 'host' ORDER BY id DESC LIMIT 1),
    (SELECT id FROM host.posts WHERE folder = $1 ORDER BY id DESC LIMIT 1)
)

-- transcript.picture
SELECT x.png FROM host.pictures x WHERE x.id = $2
    AND EXISTS (SELECT FROM host.posts p WHERE p.picture = x.id AND p.folder = $1)
