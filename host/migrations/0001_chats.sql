-- Chats, groups and people; what came in, the turns it caused, what goes out.

CREATE TABLE host.bridge_marks (
    bridge text PRIMARY KEY,
    mark text NOT NULL,
    moved_at timestamptz NOT NULL
);

-- Every update ever accepted, once. The body is emptied when it has been handled.
CREATE TABLE host.updates (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bridge text NOT NULL,
    update_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('message', 'tap', 'unreadable')),
    address text NOT NULL DEFAULT '',
    body jsonb,
    received_at timestamptz NOT NULL,
    handled_at timestamptz,
    UNIQUE (bridge, update_id)
);
CREATE INDEX updates_unhandled ON host.updates (address, id) WHERE handled_at IS NULL;

-- Metadata of every chat seen, registered or not; never its content.
CREATE TABLE host.chats (
    address text PRIMARY KEY,
    title text NOT NULL DEFAULT '',
    private boolean NOT NULL,
    seen_at timestamptz NOT NULL
);

CREATE TABLE host.groups (
    folder text PRIMARY KEY CHECK (folder ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$' AND folder <> 'global'),
    title text NOT NULL DEFAULT '',
    main boolean NOT NULL DEFAULT false,
    trigger_required boolean NOT NULL DEFAULT true,
    writes boolean NOT NULL DEFAULT false,
    runtime text NOT NULL,
    model text NOT NULL DEFAULT '',
    project text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX groups_one_main ON host.groups (main) WHERE main;

CREATE TABLE host.group_addresses (
    address text PRIMARY KEY,
    folder text NOT NULL REFERENCES host.groups ON DELETE CASCADE
);

CREATE TABLE host.people (
    person text PRIMARY KEY,
    name text NOT NULL,
    seen_at timestamptz NOT NULL
);

CREATE TABLE host.roles (
    folder text NOT NULL REFERENCES host.groups ON DELETE CASCADE,
    person text NOT NULL,
    role text NOT NULL CHECK (role IN ('owner', 'approver', 'member', 'viewer')),
    granted_at timestamptz NOT NULL,
    PRIMARY KEY (folder, person)
);

-- One running conversation of an agent with the people of a lane.
CREATE TABLE host.turns (
    id uuid PRIMARY KEY,
    lane text NOT NULL,
    folder text NOT NULL,
    address text NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'done', 'failed', 'asked')),
    attempt int NOT NULL DEFAULT 1,
    tainted boolean NOT NULL DEFAULT false,
    error text,
    started_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE UNIQUE INDEX turns_one_running ON host.turns (lane) WHERE state = 'running';

-- What agents are to read: messages of people, and what the host itself has to tell an agent.
-- An aside was said to the host (a command, a decision): it is shown, but no agent reads it.
-- Of a host message `ref` is the code of the approval it reports.
CREATE TABLE host.messages (
    id uuid PRIMARY KEY,
    folder text NOT NULL,
    lane text NOT NULL,
    address text NOT NULL,
    source text NOT NULL CHECK (source IN ('person', 'aside', 'host')),
    person text,
    person_name text,
    text text NOT NULL,
    ref text,
    reply_to text,
    triggers boolean NOT NULL,
    tainted boolean NOT NULL DEFAULT false,
    sent_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    turn uuid REFERENCES host.turns
);
CREATE INDEX messages_waiting ON host.messages (lane, id) WHERE turn IS NULL AND source <> 'aside';
CREATE INDEX messages_of_turn ON host.messages (turn) WHERE turn IS NOT NULL;
CREATE INDEX messages_of_group ON host.messages (folder, id);

-- The id is made of the picture's hash: the same picture is kept once.
CREATE TABLE host.pictures (
    id uuid PRIMARY KEY,
    png bytea NOT NULL,
    made_at timestamptz NOT NULL
);

-- The outbox: what each message we own shall say, and what its chat shows so far.
-- A content without text, picture and buttons shows nothing: its messages are deleted.
CREATE TABLE host.posts (
    id uuid PRIMARY KEY,
    slot text UNIQUE,
    folder text,
    address text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('decision', 'answer', 'notice', 'preview')),
    content jsonb NOT NULL,
    picture uuid REFERENCES host.pictures,
    version int NOT NULL DEFAULT 1,
    sent_version int NOT NULL DEFAULT 0,
    refs text[] NOT NULL DEFAULT '{}',
    digests text[] NOT NULL DEFAULT '{}',
    failed text,
    turn uuid REFERENCES host.turns,
    approval uuid,
    created_at timestamptz NOT NULL,
    sent_at timestamptz
);
CREATE INDEX posts_due ON host.posts (address, id) WHERE sent_version < version AND failed IS NULL;
CREATE INDEX posts_of_group ON host.posts (folder, id);
CREATE INDEX posts_of_approval ON host.posts (approval) WHERE approval IS NOT NULL;
CREATE INDEX posts_of_turn ON host.posts (turn) WHERE turn IS NOT NULL;
CREATE INDEX posts_shown ON host.posts USING gin (refs);

-- Whoever shows a room follows it live: one notification per row that reads differently now.
CREATE FUNCTION host.tell_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.folder IS NOT NULL THEN
        PERFORM pg_notify(
            'host_room',
            json_build_object('folder', NEW.folder, 'kind', TG_ARGV[0], 'id', NEW.id)::text
        );
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER messages_tell_room AFTER INSERT ON host.messages
    FOR EACH ROW WHEN (NEW.source <> 'host') EXECUTE FUNCTION host.tell_room('message');
CREATE TRIGGER posts_tell_room AFTER INSERT OR UPDATE OF content, kind, picture, refs, sent_version, failed
    ON host.posts FOR EACH ROW EXECUTE FUNCTION host.tell_room('post');
