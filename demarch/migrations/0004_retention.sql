-- The log may be cut at its old end, and nowhere else. What is to go is said here first, per source; the
-- trigger lets rows go up to that id and no other.
CREATE TABLE kernel.pruned (
    source text PRIMARY KEY REFERENCES kernel.counters,
    -- the last id that is gone
    through bigint NOT NULL CHECK (through > 0),
    at timestamptz NOT NULL,
    actor text NOT NULL
);

CREATE OR REPLACE FUNCTION kernel.events_are_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'kernel.events is append-only'; END $$;

CREATE FUNCTION kernel.events_go_from_their_old_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM gone LEFT JOIN kernel.pruned USING (source) WHERE gone.id > COALESCE(pruned.through, 0)
    ) THEN
        RAISE EXCEPTION 'kernel.events is append-only'
            USING HINT = 'Old events go by `intercom kernel events prune`.';
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER events_append_only ON kernel.events;
CREATE TRIGGER events_append_only BEFORE UPDATE OR TRUNCATE ON kernel.events
    EXECUTE FUNCTION kernel.events_are_append_only();
CREATE TRIGGER events_old_end AFTER DELETE ON kernel.events REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION kernel.events_go_from_their_old_end();
