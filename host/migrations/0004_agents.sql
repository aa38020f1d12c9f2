-- Real agents: what groups are granted, sessions that can be loaded again, what models cost, files both ways.

ALTER TABLE host.groups ADD COLUMN profile jsonb NOT NULL DEFAULT '{}';

-- The session an agent program can load again, per conversation and program.
CREATE TABLE host.sessions (
    lane text NOT NULL,
    runtime text NOT NULL,
    session text NOT NULL,
    model text NOT NULL,
    conversation uuid NOT NULL,
    last_turn uuid,  -- it knows what was said up to here
    opened_at timestamptz NOT NULL,
    used_at timestamptz NOT NULL,
    PRIMARY KEY (lane, runtime)
);

-- What a lane's people and agents have talked about since the last reset, whoever answered: its turns with
-- a greater id. A lane that was never reset has no row or the id zero. The summary covers the turns up to
-- `summed_up`; an agent that cannot load the conversation is told it.
CREATE TABLE host.conversations (
    lane text PRIMARY KEY,
    id uuid NOT NULL,
    folder text NOT NULL,
    began_at timestamptz NOT NULL,
    summary text NOT NULL DEFAULT '',
    summed_up uuid
);
CREATE INDEX turns_of_lane ON host.turns (lane, id);

-- One row per request to a model: set aside before it is made, settled after. Money in millionths of a US dollar.
CREATE TABLE host.model_calls (
    id uuid PRIMARY KEY,
    folder text NOT NULL,
    lane text NOT NULL,
    turn uuid,
    runtime text NOT NULL,
    api text NOT NULL,
    model text NOT NULL,
    day date NOT NULL,
    state text NOT NULL CHECK (state IN ('reserved', 'settled', 'assumed')),
    reserved bigint NOT NULL,
    cost bigint NOT NULL DEFAULT 0,
    input_tokens bigint NOT NULL DEFAULT 0,
    cache_read_tokens bigint NOT NULL DEFAULT 0,
    cache_write_tokens bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0,
    made_at timestamptz NOT NULL,
    settled_at timestamptz
);
CREATE INDEX model_calls_of_day ON host.model_calls (folder, day);
CREATE INDEX model_calls_open ON host.model_calls (id) WHERE state = 'reserved';

-- What a group may spend on a day beyond its limit, granted by people, and what it was told.
CREATE TABLE host.spend_days (
    folder text NOT NULL,
    day date NOT NULL,
    extended bigint NOT NULL DEFAULT 0,
    warned_at timestamptz,
    stopped_at timestamptz,
    PRIMARY KEY (folder, day)
);

-- Each extension a person granted, once per card.
CREATE TABLE host.spend_grants (
    approval uuid PRIMARY KEY REFERENCES host.approvals ON DELETE CASCADE,
    key text NOT NULL,
    folder text NOT NULL,
    day date NOT NULL,
    amount bigint NOT NULL,
    granted_by text NOT NULL,
    granted_at timestamptz NOT NULL
);

-- Files that came with a message: the network's own handle first, the place in the group's folder when fetched.
CREATE TABLE host.attachments (
    message uuid NOT NULL REFERENCES host.messages ON DELETE CASCADE,
    place int NOT NULL,
    kind text NOT NULL CHECK (kind IN ('image', 'voice', 'audio', 'video', 'document')),
    handle text NOT NULL,
    name text NOT NULL,
    mime text NOT NULL,
    size bigint,
    path text,
    refused text,
    PRIMARY KEY (message, place)
);

CREATE INDEX attachments_by_handle ON host.attachments (handle);

-- Files handed over on the page. What is sent is named by the handle of an attachment.
CREATE TABLE host.uploads (
    id uuid PRIMARY KEY,
    person text NOT NULL,
    folder text NOT NULL,
    name text NOT NULL,
    mime text NOT NULL,
    content bytea NOT NULL,
    made_at timestamptz NOT NULL
);
CREATE INDEX uploads_by_age ON host.uploads (made_at);

-- Whoever shows a room learns when a message is read.
CREATE TRIGGER messages_read_tell_room AFTER UPDATE OF turn ON host.messages
    FOR EACH ROW WHEN (NEW.source = 'person' AND NEW.turn IS DISTINCT FROM OLD.turn)
    EXECUTE FUNCTION host.tell_room('message');

-- Files an agent sends. The id is made of the content's hash and the name: the same file is kept once.
CREATE TABLE host.files (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    mime text NOT NULL,
    content bytea NOT NULL,
    made_at timestamptz NOT NULL
);
ALTER TABLE host.posts ADD COLUMN file uuid REFERENCES host.files;

ALTER TABLE host.approvals DROP CONSTRAINT approvals_kind_check;
ALTER TABLE host.approvals ADD CONSTRAINT approvals_kind_check
    CHECK (kind IN ('gate', 'budget', 'finished', 'intent', 'permission', 'spend', 'spawn'));
