-- An agent's id names it in all projects. A guarded id acts only with its own token or over its own socket.
CREATE TABLE intermute.agents (
    id text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 200),
    project text NOT NULL,
    session_id text NOT NULL,
    name text NOT NULL,
    token_hash bytea,
    guarded boolean NOT NULL DEFAULT false,
    capabilities text[],
    metadata jsonb,
    status text NOT NULL DEFAULT '',
    contact_policy text NOT NULL DEFAULT 'open',
    live_contact_policy text NOT NULL DEFAULT 'contacts_only',
    focus_state text NOT NULL DEFAULT '',
    focus_at timestamptz,
    created_at timestamptz NOT NULL,
    last_seen timestamptz NOT NULL
) WITH (fillfactor = 80);
-- One client is one agent in a project, and may be another one in another project.
CREATE UNIQUE INDEX agents_by_session ON intermute.agents (session_id, project) WHERE session_id <> '';
CREATE INDEX agents_by_project ON intermute.agents (project, id);
CREATE UNIQUE INDEX agents_by_token ON intermute.agents (token_hash) WHERE token_hash IS NOT NULL;

CREATE TABLE intermute.contacts (
    agent text NOT NULL,
    contact text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (agent, contact)
);

-- Terminal windows of agents, and messages that wait for such a window to be looked at.
CREATE TABLE intermute.windows (
    project text NOT NULL,
    window_uuid text NOT NULL,
    id text NOT NULL UNIQUE,
    agent text NOT NULL,
    display_name text NOT NULL,
    tmux_target text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    last_active_at timestamptz NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (project, window_uuid)
);
CREATE INDEX windows_by_agent ON intermute.windows (project, agent);

CREATE TABLE intermute.pokes (
    project text NOT NULL,
    agent text NOT NULL,
    message_id text NOT NULL,
    sender text NOT NULL,
    thread_id text NOT NULL DEFAULT '',
    body text NOT NULL,
    created_at timestamptz NOT NULL,
    surfaced_at timestamptz,
    PRIMARY KEY (project, agent, message_id)
);
CREATE INDEX pokes_waiting ON intermute.pokes (project, agent, created_at, message_id) WHERE surfaced_at IS NULL;

-- How often a sender had its words typed into a recipient's terminal since `began`.
CREATE TABLE intermute.live_rates (
    project text NOT NULL,
    sender text NOT NULL,
    recipient text NOT NULL,
    began timestamptz NOT NULL,
    taken integer NOT NULL,
    PRIMARY KEY (project, sender, recipient)
);
CREATE INDEX live_rates_by_age ON intermute.live_rates (began);
