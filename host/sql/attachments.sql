-- attachments.note
INSERT INTO host.attachments (message, place, kind, handle, name, mime, size) VALUES ($1, $2, $3, $4, $5, $6, $7)

-- attachments.of
SELECT * FROM host.attachments WHERE message = ANY($1::uuid[]) ORDER BY message, place

-- attachments.arrived
UPDATE host.attachments SET path = $3, mime = $4, size = $5 WHERE message = $1 AND place = $2

-- attachments.refuse
UPDATE host.attachments SET refused = $3 WHERE message = $1 AND place = $2
