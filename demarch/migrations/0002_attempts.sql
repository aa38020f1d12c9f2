-- Writes through the command line of a kernel that shares no transaction with us: what was about to be done,
-- committed before the command runs, and what came of it. A row without an outcome may have happened or not.
CREATE TABLE kernel.attempts (
    project text NOT NULL,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    operation text NOT NULL,
    -- the run, issue or discovery it changes; empty for what makes something new
    about text NOT NULL DEFAULT '',
    params jsonb NOT NULL,
    actor text NOT NULL,
    -- what stood there before, as far as it matters for telling later whether this write went through
    seen jsonb NOT NULL,
    outcome jsonb,
    begun_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (project, key),
    CHECK ((outcome IS NULL) = (ended_at IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX attempts_open ON kernel.attempts (project, about, begun_at) WHERE outcome IS NULL;
