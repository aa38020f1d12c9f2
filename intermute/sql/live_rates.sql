-- live_rates.take
-- One more from $2 to each of the agents $3 in project $1 at $4; a window ends at $5 or when the clock was
-- turned back behind its beginning. What ended for others goes.
WITH gone AS (
    DELETE FROM intermute.live_rates WHERE ctid = ANY (ARRAY (
        SELECT ctid FROM intermute.live_rates
        WHERE began <= $5 AND NOT (project = $1 AND sender = $2 AND recipient = ANY ($3::text[]))
        LIMIT 100 FOR UPDATE SKIP LOCKED
    ))
)
INSERT INTO intermute.live_rates AS rate (project, sender, recipient, began, taken)
SELECT $1, $2, recipient, $4, 1 FROM unnest($3::text[]) AS given (recipient) ORDER BY recipient
ON CONFLICT (project, sender, recipient) DO UPDATE SET
    began = CASE WHEN rate.began <= $5 OR rate.began > $4 THEN $4 ELSE rate.began END,
    taken = CASE WHEN rate.began <= $5 OR rate.began > $4 THEN 1 ELSE rate.taken + 1 END
RETURNING recipient, began, taken
