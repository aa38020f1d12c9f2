-- What groups want to hear of the kernel's news, and when.

-- The group that started a run hears of it.
CREATE TABLE host.run_homes (
    project text NOT NULL,
    run text NOT NULL,
    folder text NOT NULL,
    PRIMARY KEY (project, run)
);

-- What a group does not want to be disturbed by for a while. The topic '' is everything.
CREATE TABLE host.mutes (
    folder text NOT NULL REFERENCES host.groups ON DELETE CASCADE,
    topic text NOT NULL,
    until timestamptz NOT NULL,
    muted_by text NOT NULL,
    PRIMARY KEY (folder, topic)
);

-- When a group reads what happened, instead of hearing it at once.
CREATE TABLE host.digests (
    folder text PRIMARY KEY REFERENCES host.groups ON DELETE CASCADE,
    weekday smallint CHECK (weekday BETWEEN 0 AND 6), -- Monday is 0; NULL is every day
    at_time time NOT NULL,
    since timestamptz NOT NULL,
    next_at timestamptz NOT NULL
);
CREATE INDEX digests_due ON host.digests (next_at);

-- What waits for a digest. A slot holds its newest line: a run that moved five times is in one phase.
CREATE TABLE host.digest_lines (
    folder text NOT NULL REFERENCES host.groups ON DELETE CASCADE,
    slot text NOT NULL,
    text text NOT NULL,
    times int NOT NULL DEFAULT 1,
    at timestamptz NOT NULL,
    PRIMARY KEY (folder, slot)
);

-- What was seen of an active run, so that what no event tells is told once.
CREATE TABLE host.run_watch (
    project text NOT NULL,
    run text NOT NULL,
    phase text NOT NULL,
    since timestamptz NOT NULL, -- when it was first known to be in the phase
    stale boolean NOT NULL DEFAULT false, -- told for this phase
    warned bigint, -- the budget for which the warning was told
    exceeded bigint, -- the budget for which it was told that it is used up
    PRIMARY KEY (project, run)
);
