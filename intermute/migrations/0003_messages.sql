-- A message; its cursor is that of the event that told of it.
CREATE TABLE intermute.messages (
    cursor bigint PRIMARY KEY,
    project text NOT NULL,
    id text NOT NULL CHECK (length(id) BETWEEN 1 AND 200),
    thread_id text NOT NULL DEFAULT '',
    sender text NOT NULL,
    recipients text[] NOT NULL,
    cc text[] NOT NULL DEFAULT '{}',
    bcc text[] NOT NULL DEFAULT '{}',
    -- named by the sender, but not to be written to: a repeated request is known by all it named
    denied text[] NOT NULL DEFAULT '{}',
    subject text NOT NULL DEFAULT '',
    topic text NOT NULL DEFAULT '',
    body text NOT NULL,
    importance text NOT NULL DEFAULT '',
    transport text NOT NULL DEFAULT 'async',
    ack_required boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    UNIQUE (project, id)
);
CREATE INDEX messages_by_topic ON intermute.messages (project, topic, cursor) WHERE topic <> '';
CREATE INDEX messages_by_thread ON intermute.messages (project, thread_id, cursor) WHERE thread_id <> '';

-- One row per message and recipient, of whatever kind.
CREATE TABLE intermute.inbox (
    project text NOT NULL,
    agent text NOT NULL,
    cursor bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('to', 'cc', 'bcc')),
    ack_required boolean NOT NULL,
    read_at timestamptz,
    ack_at timestamptz,
    injected_at timestamptz,
    PRIMARY KEY (agent, project, cursor)
) WITH (fillfactor = 90);
CREATE INDEX inbox_unacked ON intermute.inbox (agent, project, cursor) WHERE ack_required AND ack_at IS NULL;

-- What an agent sees of a thread it takes part in.
CREATE TABLE intermute.threads (
    project text NOT NULL,
    agent text NOT NULL,
    thread_id text NOT NULL,
    last_cursor bigint NOT NULL,
    message_count bigint NOT NULL,
    PRIMARY KEY (project, agent, thread_id)
) WITH (fillfactor = 80);
CREATE INDEX threads_by_age ON intermute.threads (project, agent, last_cursor DESC);

-- The words of messages up to `worded.cursor`, for the search. They are put down behind the sends.
CREATE TABLE intermute.words (
    cursor bigint PRIMARY KEY,
    words tsvector NOT NULL
);
CREATE INDEX words_found ON intermute.words USING gin (words);

CREATE TABLE intermute.worded (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    cursor bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO intermute.worded (cursor) VALUES (0);

-- The lexemes of a message, and one that no text has and that says whose project it is. What stands behind the
-- first 64,000 characters is not searched: a tsvector has a largest size.
CREATE FUNCTION intermute.words_of(project text, subject text, body text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_tsvector('pg_catalog.english', left(subject || ' ' || body, 64000))
    || array_to_tsvector(ARRAY['project=' || project]);

-- How often a sender spoke to everybody since `began`.
CREATE TABLE intermute.broadcasts (
    project text NOT NULL,
    sender text NOT NULL,
    began timestamptz NOT NULL,
    count integer NOT NULL,
    PRIMARY KEY (project, sender)
) WITH (fillfactor = 50);
