-- The embedded kernel: issues, runs with gates and budgets, what runs leave behind, and the log of it all.

-- One row per executed write, in the write's own transaction: a key executes once and keeps its answer.
CREATE TABLE kernel.writes (
    key text PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 200),
    actor text NOT NULL,
    outcome jsonb NOT NULL DEFAULT 'null',
    at timestamptz NOT NULL
) WITH (fillfactor = 80);

-- Ids of events are taken here, and the row stays locked until commit: they have no gaps and become visible
-- in order, so a reader's mark never passes an event that is still on its way.
CREATE TABLE kernel.counters (
    source text PRIMARY KEY,
    last bigint NOT NULL DEFAULT 0,
    last_at timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 20);
INSERT INTO kernel.counters (source)
VALUES ('phase'), ('dispatch'), ('discovery'), ('review'), ('coordination'), ('interspect');

CREATE TABLE kernel.events (
    source text NOT NULL REFERENCES kernel.counters,
    id bigint NOT NULL,
    -- taken under the counter's lock, so it agrees with the ids of a source and tells which source came first
    seq bigint GENERATED ALWAYS AS IDENTITY,
    type text NOT NULL,
    run_id text NOT NULL,
    from_state text NOT NULL DEFAULT '',
    to_state text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    envelope jsonb NOT NULL DEFAULT '{}',
    at timestamptz NOT NULL,
    PRIMARY KEY (source, id)
);
CREATE INDEX events_by_time ON kernel.events (at, seq);
CREATE INDEX events_of_run ON kernel.events (run_id, at, seq);
CREATE FUNCTION kernel.events_are_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'kernel.events is append-only'; END $$;
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON kernel.events
    EXECUTE FUNCTION kernel.events_are_append_only();

CREATE TABLE kernel.state (
    key text NOT NULL,
    scope text NOT NULL,
    payload jsonb NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (key, scope)
);

-- What a title and a body are found by. 'simple': titles mix languages, names and code.
CREATE FUNCTION kernel.words(title text, body text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN setweight(to_tsvector('simple'::regconfig, title), 'A')
    || setweight(to_tsvector('simple'::regconfig, left(body, 20000)), 'B');

CREATE TABLE kernel.issues (
    id text PRIMARY KEY,
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 500),
    description text NOT NULL DEFAULT '',
    notes text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT 'open' CHECK (
        status IN ('open', 'in_progress', 'blocked', 'deferred', 'closed', 'pinned', 'hooked')
    ),
    priority smallint NOT NULL DEFAULT 2 CHECK (priority BETWEEN 0 AND 4),
    issue_type text NOT NULL DEFAULT 'task',
    assignee text NOT NULL DEFAULT '',
    external_ref text,
    labels text[] NOT NULL DEFAULT '{}',
    -- how many open issues block this one; kept so that ready work is one index scan
    blockers int NOT NULL DEFAULT 0 CHECK (blockers >= 0),
    has_parent boolean NOT NULL DEFAULT false,
    defer_until timestamptz,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    started_at timestamptz,
    closed_at timestamptz,
    close_reason text NOT NULL DEFAULT ''
) WITH (fillfactor = 80);
CREATE INDEX issues_ready ON kernel.issues (priority, created_at, id) WHERE status = 'open' AND blockers = 0;
CREATE INDEX issues_unclosed ON kernel.issues (priority, created_at, id) WHERE status <> 'closed';
CREATE INDEX issues_by_status ON kernel.issues (status, priority, created_at, id);
CREATE INDEX issues_by_words ON kernel.issues USING gin (kernel.words(title, description));

CREATE TABLE kernel.dependencies (
    issue_id text NOT NULL REFERENCES kernel.issues,
    depends_on_id text NOT NULL REFERENCES kernel.issues,
    type text NOT NULL CHECK (
        type IN ('blocks', 'parent-child', 'discovered-from', 'related', 'duplicates', 'supersedes')
    ),
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    PRIMARY KEY (issue_id, depends_on_id, type),
    CHECK (issue_id <> depends_on_id)
);
CREATE INDEX dependencies_backwards ON kernel.dependencies (depends_on_id, type);

CREATE TABLE kernel.runs (
    id text PRIMARY KEY,
    project_dir text NOT NULL DEFAULT '',
    goal text NOT NULL CHECK (length(goal) BETWEEN 1 AND 500),
    description text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'completed', 'cancelled', 'failed')),
    phase text NOT NULL,
    phase_at timestamptz NOT NULL,
    phases text[] NOT NULL CHECK (cardinality(phases) >= 2),
    skipped text[] NOT NULL DEFAULT '{}',
    complexity smallint NOT NULL DEFAULT 3 CHECK (complexity BETWEEN 1 AND 5),
    force_full boolean NOT NULL DEFAULT false,
    auto_advance boolean NOT NULL DEFAULT true,
    scope_id text,
    metadata jsonb NOT NULL DEFAULT '{}',
    gates jsonb,
    -- a gate that a person closed by hand, with the reason
    held text,
    -- what stopped the run last ('block' or 'pause'); empty again when it moves or the gate is decided
    waiting text CHECK (waiting IN ('block', 'pause')),
    waiting_since timestamptz,
    token_budget bigint CHECK (token_budget > 0),
    budget_warn_pct smallint NOT NULL DEFAULT 80 CHECK (budget_warn_pct BETWEEN 1 AND 99),
    budget_enforce boolean NOT NULL DEFAULT false,
    used bigint NOT NULL DEFAULT 0,
    dispatches int NOT NULL DEFAULT 0,
    warned boolean NOT NULL DEFAULT false,
    exceeded boolean NOT NULL DEFAULT false,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    completed_at timestamptz
) WITH (fillfactor = 70);
CREATE INDEX runs_by_age ON kernel.runs (created_at DESC, id);
CREATE INDEX runs_active ON kernel.runs (created_at DESC, id) WHERE status = 'active';

-- What agents spent. `total` is the run's spending including this row: the burn curve needs no summing.
CREATE TABLE kernel.dispatches (
    run_id text NOT NULL REFERENCES kernel.runs,
    ordinal int NOT NULL,
    agent_type text NOT NULL DEFAULT '',
    in_tokens bigint NOT NULL CHECK (in_tokens >= 0),
    out_tokens bigint NOT NULL CHECK (out_tokens >= 0),
    total bigint NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (run_id, ordinal)
);

CREATE TABLE kernel.agents (
    id text PRIMARY KEY,
    run_id text NOT NULL REFERENCES kernel.runs,
    agent_type text NOT NULL,
    name text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'completed', 'failed')),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX agents_of_run ON kernel.agents (run_id, created_at);

CREATE TABLE kernel.artifacts (
    id text PRIMARY KEY,
    run_id text NOT NULL REFERENCES kernel.runs,
    phase text NOT NULL,
    path text NOT NULL,
    type text NOT NULL DEFAULT 'file',
    content text,
    content_hash text,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'rolled_back')),
    created_at timestamptz NOT NULL,
    created_by text NOT NULL
);
CREATE INDEX artifacts_of_run ON kernel.artifacts (run_id, phase, created_at);

CREATE TABLE kernel.verdicts (
    id text PRIMARY KEY,
    run_id text NOT NULL REFERENCES kernel.runs,
    phase text NOT NULL,
    reviewer text NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('clean', 'needs-changes', 'error')),
    summary text NOT NULL DEFAULT '',
    findings int NOT NULL DEFAULT 0 CHECK (findings >= 0),
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'rolled_back')),
    created_at timestamptz NOT NULL
);
CREATE INDEX verdicts_of_run ON kernel.verdicts (run_id, created_at DESC);
CREATE INDEX verdicts_by_age ON kernel.verdicts (created_at DESC);

CREATE TABLE kernel.discoveries (
    id text PRIMARY KEY,
    source text NOT NULL,
    source_id text NOT NULL,
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 500),
    summary text NOT NULL DEFAULT '',
    url text NOT NULL DEFAULT '',
    relevance_score double precision NOT NULL CHECK (relevance_score BETWEEN 0 AND 1),
    status text NOT NULL DEFAULT 'new' CHECK (status IN ('new', 'scored', 'promoted', 'proposed', 'dismissed')),
    run_id text,
    bead_id text REFERENCES kernel.issues,
    discovered_at timestamptz NOT NULL,
    discovered_by text NOT NULL,
    promoted_at timestamptz,
    reviewed_at timestamptz,
    UNIQUE (source, source_id)
);
CREATE INDEX discoveries_by_age ON kernel.discoveries (discovered_at DESC, id);
CREATE INDEX discoveries_by_words ON kernel.discoveries USING gin (kernel.words(title, summary));
