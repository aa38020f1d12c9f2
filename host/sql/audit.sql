-- audit.head
SELECT seq, mac FROM host.audit_head

-- audit.lock
-- Whoever appends holds the head until its transaction ends: the chain has no forks.
SELECT seq, mac FROM host.audit_head FOR UPDATE

-- audit.insert
INSERT INTO host.audit (seq, at, actor, action, detail, mac) VALUES ($1, $2, $3, $4, $5, $6)

-- audit.advance
UPDATE host.audit_head SET seq = $1, mac = $2

-- audit.end
-- The head, and whether any entry stands behind it, in one snapshot.
SELECT h.seq, h.mac, EXISTS (SELECT FROM host.audit a WHERE a.seq > h.seq) AS beyond FROM host.audit_head h

-- audit.between
SELECT seq, at, actor, action, detail, mac FROM host.audit
WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3

-- audit.tail
SELECT seq, at, actor, action, detail FROM host.audit ORDER BY seq DESC LIMIT $1

-- audit.any
SELECT EXISTS (SELECT FROM host.audit)
