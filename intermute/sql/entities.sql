-- entities.insert
-- No row when the id is taken.
INSERT INTO intermute.entities (kind, project, id, rank, listed_at, data, version, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT DO NOTHING
RETURNING id

-- entities.read
SELECT project, id, data, version, created_at, updated_at FROM intermute.entities
WHERE kind = $1 AND project = $2 AND id = $3

-- entities.lock
SELECT project, id, data, version, created_at, updated_at FROM intermute.entities
WHERE kind = $1 AND project = $2 AND id = $3
FOR UPDATE

-- entities.write
UPDATE intermute.entities SET rank = $4, listed_at = $5, data = $6, version = $7, updated_at = $8
WHERE kind = $1 AND project = $2 AND id = $3

-- entities.remove
DELETE FROM intermute.entities WHERE kind = $1 AND project = $2 AND id = $3 RETURNING id

-- entities.of_project
-- Entities of kind $1 in project $2 that hold $3, behind the place ($4, $5, $6), $7 at most and $8 bytes.
SELECT project, id, rank, listed_at, data, version, created_at, updated_at, found
FROM (
    SELECT page.*, count(*) OVER () AS found, sum(bytes) OVER (ORDER BY rank DESC, listed_at DESC, id DESC) AS weight
    FROM (
        SELECT * FROM intermute.entities
        WHERE kind = $1 AND project = $2 AND data @> $3::jsonb AND (rank, listed_at, id) < ($4, $5, $6)
        ORDER BY rank DESC, listed_at DESC, id DESC
        LIMIT $7
    ) AS page
) AS weighed
WHERE weight - bytes < $8
ORDER BY rank DESC, listed_at DESC, id DESC

-- entities.everywhere
-- The same in all projects: those that hold $2, behind the place ($3, $4, $5, $6), $7 at most and $8 bytes.
SELECT project, id, rank, listed_at, data, version, created_at, updated_at, found
FROM (
    SELECT
        page.*,
        count(*) OVER () AS found,
        sum(bytes) OVER (ORDER BY rank DESC, listed_at DESC, id DESC, project DESC) AS weight
    FROM (
        SELECT * FROM intermute.entities
        WHERE kind = $1 AND data @> $2::jsonb AND (rank, listed_at, id, project) < ($3, $4, $5, $6)
        ORDER BY rank DESC, listed_at DESC, id DESC, project DESC
        LIMIT $7
    ) AS page
) AS weighed
WHERE weight - bytes < $8
ORDER BY rank DESC, listed_at DESC, id DESC, project DESC
