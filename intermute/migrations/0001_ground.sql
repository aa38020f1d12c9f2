-- Projects: one namespace each. A row is made when a project is first written to; whoever decides about the
-- reservations of a project locks its row.
CREATE TABLE intermute.projects (
    name text PRIMARY KEY CHECK (length(name) <= 200),
    created_at timestamptz NOT NULL
);

-- The one counter. Whoever writes events takes it as the last lock of the transaction and holds it until the
-- commit: cursors are without gaps, and nobody ever sees a later one before an earlier one.
CREATE TABLE intermute.counter (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    cursor bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO intermute.counter (cursor) VALUES (0);

-- What happened, in the order in which it was committed.
CREATE TABLE intermute.events (
    cursor bigint PRIMARY KEY,
    project text NOT NULL,
    type text NOT NULL,
    -- the agents it is for; NULL is everybody in the project
    audience text[],
    -- the other members of its JSON frame
    data jsonb NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX events_by_project ON intermute.events (project, cursor);
