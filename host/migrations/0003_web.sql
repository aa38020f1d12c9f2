-- Who may open the local page: one-time links and the cookies they were traded for, as hashes.

CREATE TABLE host.web_links (
    token_hash bytea PRIMARY KEY,
    made_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE TABLE host.web_sessions (
    cookie_hash bytea PRIMARY KEY,
    person text NOT NULL,
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
