-- journeys.link
-- A second link only renews the time. No row when there is no such journey; it is kept from going meanwhile.
WITH journey AS (
    SELECT id FROM intermute.entities WHERE kind = 'cuj' AND project = $1 AND id = $2 FOR SHARE
)
INSERT INTO intermute.journey_features (project, cuj_id, feature_id, linked_at)
SELECT $1, id, $3, $4 FROM journey
ON CONFLICT (project, cuj_id, feature_id) DO UPDATE SET linked_at = EXCLUDED.linked_at
RETURNING feature_id

-- journeys.unlink
DELETE FROM intermute.journey_features WHERE project = $1 AND cuj_id = $2 AND feature_id = $3 RETURNING feature_id

-- journeys.forget
DELETE FROM intermute.journey_features WHERE project = $1 AND cuj_id = $2

-- journeys.links
-- Links of journey $2 in project $1 behind feature $3, $4 at most.
SELECT project, cuj_id, feature_id, linked_at FROM intermute.journey_features
WHERE project = $1 AND cuj_id = $2 AND feature_id > $3
ORDER BY feature_id LIMIT $4
