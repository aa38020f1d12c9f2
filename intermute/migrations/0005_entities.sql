-- Work entities of all kinds. `data` holds the members of the kind's own; `rank` and `listed_at` are what its
-- list is sorted by. `bytes` lets a page stop before it grows too large.
CREATE TABLE intermute.entities (
    kind text NOT NULL,
    project text NOT NULL,
    id text NOT NULL CHECK (length(id) BETWEEN 1 AND 200),
    rank double precision NOT NULL,
    listed_at timestamptz NOT NULL,
    data jsonb NOT NULL,
    bytes integer NOT NULL GENERATED ALWAYS AS (octet_length(data::text)) STORED,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (kind, project, id)
) WITH (fillfactor = 80);
CREATE INDEX entities_listed ON intermute.entities (kind, project, rank, listed_at, id);

-- Which features a journey is about; a feature is known here by its id alone.
CREATE TABLE intermute.journey_features (
    project text NOT NULL,
    cuj_id text NOT NULL,
    feature_id text NOT NULL CHECK (length(feature_id) BETWEEN 1 AND 200),
    linked_at timestamptz NOT NULL,
    PRIMARY KEY (project, cuj_id, feature_id)
);

-- Up to where retention has thinned the log; behind it the log is complete.
CREATE TABLE intermute.compacted (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    through bigint NOT NULL
);
INSERT INTO intermute.compacted (through) VALUES (0);

-- For compaction: the last event of each entity.
CREATE INDEX events_of_entities ON intermute.events (project, (data ->> 'entity_id'), cursor)
    WHERE data ? 'entity_id';
