-- Grants of paths. `anchor` is the literal beginning of the pattern in whole segments, each ended by '/': two
-- patterns can only overlap when one anchor is a prefix of the other. `token` is the cursor of the grant.
CREATE TABLE intermute.reservations (
    id text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 200),
    project text NOT NULL,
    agent text NOT NULL,
    pattern text NOT NULL,
    anchor text NOT NULL,
    exclusive boolean NOT NULL,
    reason text NOT NULL DEFAULT '',
    token bigint NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    released_at timestamptz,
    -- why it ended: released, expired, agent_gone, transferred
    ended text NOT NULL DEFAULT ''
) WITH (fillfactor = 80);
CREATE INDEX reservations_active ON intermute.reservations (project, anchor COLLATE "C") WHERE released_at IS NULL;
CREATE INDEX reservations_of_agent ON intermute.reservations (agent, project, created_at);
CREATE INDEX reservations_by_end ON intermute.reservations (expires_at) WHERE released_at IS NULL;

-- Requests that wait for paths somebody holds, first come, first served.
CREATE TABLE intermute.waiting (
    place bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    project text NOT NULL,
    agent text NOT NULL,
    patterns text[] NOT NULL,
    exclusive boolean NOT NULL,
    reason text NOT NULL DEFAULT '',
    ttl_minutes integer NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX waiting_by_project ON intermute.waiting (project, place);
