-- Grants of paths. `anchor` is the literal beginning of the pattern in whole segments, each ended by '/': two
-- patterns can only overlap when one anchor is a prefix of the other. `token` is the cursor of the grant. What is
-- not released is held: whoever decides about a project first ends what is over.
--
-- What is over has no anchor, and none of the columns made below. Each search goes by one of them, and so by the
-- one index that knows it: an index for all that is not released would fit every search, and a planner that has
-- no numbers yet (a young table) would sooner or later read a whole project by it.
CREATE TABLE intermute.reservations (
    id text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 200),
    project text NOT NULL,
    agent text NOT NULL,
    pattern text NOT NULL,
    anchor text COLLATE "C" CHECK ((anchor IS NULL) = (released_at IS NOT NULL)),
    -- what its paths end with, and of how many segments they are at most (NULL: of any number)
    ending text COLLATE "C" NOT NULL DEFAULT '',
    most integer,
    exclusive boolean NOT NULL,
    reason text NOT NULL DEFAULT '',
    token bigint NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    released_at timestamptz,
    -- why it ended: released, expired, agent_gone, transferred
    ended text NOT NULL DEFAULT '',
    -- where the last segment of the anchor is
    folder text COLLATE "C" GENERATED ALWAYS AS (regexp_replace(anchor, '[^/]*/$', '')) STORED,
    holder text GENERATED ALWAYS AS (CASE WHEN released_at IS NULL THEN agent END) STORED,
    held_in text GENERATED ALWAYS AS (CASE WHEN released_at IS NULL THEN project END) STORED,
    held_until timestamptz GENERATED ALWAYS AS (CASE WHEN released_at IS NULL THEN expires_at END) STORED
) WITH (fillfactor = 80);
CREATE INDEX reservations_by_anchor ON intermute.reservations (project, anchor) WHERE anchor IS NOT NULL;
CREATE INDEX reservations_by_folder ON intermute.reservations
    (project, folder, reverse(substring(anchor FROM '[^/]*/$'))) WHERE folder IS NOT NULL;
CREATE INDEX reservations_by_holder ON intermute.reservations (holder) WHERE holder IS NOT NULL;
CREATE INDEX reservations_by_age ON intermute.reservations (held_in, token) WHERE held_in IS NOT NULL;
CREATE INDEX reservations_by_end ON intermute.reservations (project, held_until) WHERE held_until IS NOT NULL;
CREATE INDEX reservations_next ON intermute.reservations (held_until) WHERE held_until IS NOT NULL;
CREATE INDEX reservations_by_token ON intermute.reservations USING hash (token);
CREATE INDEX reservations_of_agent ON intermute.reservations (agent, token);
CREATE INDEX reservations_over ON intermute.reservations (released_at) WHERE released_at IS NOT NULL;

-- Requests that wait for paths somebody holds, first come, first served. Once granted, `id` is the id of the
-- (first) reservation.
CREATE TABLE intermute.waiting (
    place bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 200),
    project text NOT NULL,
    agent text NOT NULL,
    patterns text[] NOT NULL,
    exclusive boolean NOT NULL,
    reason text NOT NULL DEFAULT '',
    ttl interval NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX waiting_by_project ON intermute.waiting (project, place);
CREATE INDEX waiting_due ON intermute.waiting (expires_at);
