-- schema.lock
-- One migrating process at a time; the number is the program's own and stands for nothing else.
SELECT pg_advisory_lock(7305512290514)

-- schema.unlock
SELECT pg_advisory_unlock(7305512290514)

-- schema.prepare
CREATE SCHEMA IF NOT EXISTS storage;
CREATE TABLE IF NOT EXISTS storage.schema_version (
    part text NOT NULL,
    version int NOT NULL,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (part, version)
);

-- schema.applied
SELECT part, version, name FROM storage.schema_version ORDER BY part, version

-- schema.record
INSERT INTO storage.schema_version (part, version, name) VALUES ($1, $2, $3)

-- schema.exists
SELECT to_regclass('storage.schema_version') IS NOT NULL
