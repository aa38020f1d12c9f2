-- Work entities of all kinds. What a kind has beside these columns is in `data`.
CREATE TABLE intermute.entities (
    kind text NOT NULL,
    project text NOT NULL,
    id text NOT NULL CHECK (length(id) BETWEEN 1 AND 200),
    -- the entity it belongs to (a story's epic), and the agent it is given to
    parent text NOT NULL DEFAULT '',
    agent text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT '',
    -- what the kind's list is sorted by before its time (a journey's priority, an insight's score)
    rank double precision NOT NULL DEFAULT 0,
    category text NOT NULL DEFAULT '',
    data jsonb NOT NULL,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (kind, project, id)
) WITH (fillfactor = 80);
CREATE INDEX entities_by_update ON intermute.entities (kind, project, updated_at DESC);

CREATE TABLE intermute.journey_features (
    project text NOT NULL,
    cuj_id text NOT NULL,
    feature_id text NOT NULL,
    linked_at timestamptz NOT NULL,
    PRIMARY KEY (project, cuj_id, feature_id)
);
