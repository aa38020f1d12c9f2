-- Links and cookies of the page. Only hashes are stored.

-- doors.add_link
INSERT INTO host.web_links (token_hash, made_at) VALUES ($1, $2);

-- doors.use_link
-- Of two browsers that come with the same link one gets the row.
UPDATE host.web_links SET used_at = $2
WHERE token_hash = $1 AND used_at IS NULL AND made_at > $3
RETURNING made_at;

-- doors.add_session
INSERT INTO host.web_sessions (cookie_hash, person, made_at, expires_at) VALUES ($1, $2, $3, $4);

-- doors.who
SELECT person FROM host.web_sessions WHERE cookie_hash = $1 AND expires_at > $2;

-- doors.forget_links
DELETE FROM host.web_links WHERE made_at <= $1;

-- doors.forget_sessions
DELETE FROM host.web_sessions WHERE expires_at <= $1;

