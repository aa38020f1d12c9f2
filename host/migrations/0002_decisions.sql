-- What waits for people, who decided, what agents intended, and the record of it all.

CREATE TABLE host.approvals (
    id uuid PRIMARY KEY,
    code text NOT NULL UNIQUE,
    kind text NOT NULL CHECK (kind IN ('gate', 'budget', 'finished', 'intent', 'permission')),
    folder text NOT NULL,
    project text NOT NULL DEFAULT '',
    address text NOT NULL,
    lane text,
    run text NOT NULL DEFAULT '',
    subject jsonb NOT NULL,
    dedupe text NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'executing', 'deferred', 'done', 'closed', 'dropped')),
    round int NOT NULL DEFAULT 0,
    attempt int NOT NULL DEFAULT 0,
    verb text,
    decided_by text,
    decided_name text,
    decided_at timestamptz,
    holder text,
    lease_until timestamptz,
    outcome text,
    error text,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    ended_at timestamptz
);
CREATE UNIQUE INDEX approvals_one_open ON host.approvals (dedupe) WHERE state IN ('pending', 'executing', 'deferred');
CREATE INDEX approvals_open ON host.approvals (folder, id) WHERE state IN ('pending', 'executing', 'deferred');
CREATE INDEX approvals_due ON host.approvals (expires_at) WHERE state = 'pending';
CREATE INDEX approvals_of_run ON host.approvals (run, id) WHERE run <> '';

-- One row per claimed decision; a decision that failed and was tried again has two.
CREATE TABLE host.votes (
    approval uuid NOT NULL REFERENCES host.approvals,
    attempt int NOT NULL,
    round int NOT NULL,
    person text NOT NULL,
    name text NOT NULL,
    verb text NOT NULL,
    voted_at timestamptz NOT NULL,
    PRIMARY KEY (approval, attempt)
);

-- A write an agent asked for, recorded before anything is executed. The id is the kernel's idempotency key.
CREATE TABLE host.intents (
    id uuid PRIMARY KEY,
    turn uuid NOT NULL REFERENCES host.turns,
    ordinal int NOT NULL,
    operation text NOT NULL,
    arguments jsonb NOT NULL,
    arguments_hash text NOT NULL,
    state text NOT NULL CHECK (state IN ('recorded', 'executed', 'pending', 'refused', 'failed')),
    approval uuid REFERENCES host.approvals,
    result jsonb,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    UNIQUE (turn, ordinal)
);

CREATE TABLE host.feed_marks (
    project text NOT NULL,
    source text NOT NULL,
    mark bigint NOT NULL,
    PRIMARY KEY (project, source)
);

-- Append-only and chained: mac = HMAC(key, previous mac || this row).
CREATE TABLE host.audit (
    seq bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    detail jsonb NOT NULL,
    mac bytea NOT NULL
);
CREATE TABLE host.audit_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    seq bigint NOT NULL,
    mac bytea NOT NULL
);
INSERT INTO host.audit_head (seq, mac) VALUES (0, '');
CREATE FUNCTION host.audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'host.audit is append-only'; END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON host.audit
    EXECUTE FUNCTION host.audit_is_append_only();
-- Whoever keeps the head in a file learns of it when the row is committed, also when another process wrote it.
CREATE FUNCTION host.audit_head_moved() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_notify('host_audit', ''); RETURN NULL; END $$;
CREATE TRIGGER audit_head_moved AFTER UPDATE ON host.audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION host.audit_head_moved();

-- Codes that let their bearer claim the bot: hashes only.
CREATE TABLE host.claims (
    code_hash bytea PRIMARY KEY,
    made_at timestamptz NOT NULL,
    used_by text,
    used_at timestamptz
);
CREATE TABLE host.claim_attempts (
    person text PRIMARY KEY,
    wrong int NOT NULL,
    last_at timestamptz NOT NULL
);
