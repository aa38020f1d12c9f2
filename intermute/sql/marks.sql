-- marks.put
-- Agent $3 has read message $2 of project $1, or acknowledged it ($4), at $5. The first mark stands.
WITH stands AS (
    SELECT cursor FROM intermute.messages WHERE project = $1 AND id = $2
), marked AS (
    UPDATE intermute.inbox SET
        read_at = CASE WHEN $4 THEN read_at ELSE $5 END,
        ack_at = CASE WHEN $4 THEN $5 ELSE ack_at END
    WHERE agent = $3 AND project = $1 AND cursor = (SELECT cursor FROM stands)
        AND CASE WHEN $4 THEN ack_at ELSE read_at END IS NULL
    RETURNING cursor
)
SELECT
    EXISTS (SELECT FROM stands) AS stands,
    EXISTS (
        SELECT FROM intermute.inbox
        WHERE agent = $3 AND project = $1 AND cursor = (SELECT cursor FROM stands)
    ) AS received,
    EXISTS (SELECT FROM marked) AS marked

-- marks.sole
-- Whether message $2 of project $1 stands, and its recipient where it has one only.
SELECT CASE WHEN cardinality(recipients || cc || bcc) = 1 THEN (recipients || cc || bcc)[1] ELSE '' END
FROM intermute.messages WHERE project = $1 AND id = $2
