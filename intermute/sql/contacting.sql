-- contacting.contacts
-- Those of the agents $1 that have $2 among their contacts.
SELECT agent FROM intermute.contacts WHERE contact = $2 AND agent = ANY ($1::text[])

-- contacting.thread
SELECT true FROM intermute.threads WHERE project = $1 AND agent = $2 AND thread_id = $3

-- contacting.side_by_side
-- Pairs of what the agents $3 and agent $2 hold in project $1 at $4, where they may overlap; $5 at most.
SELECT theirs.agent, mine.pattern AS mine, theirs.pattern AS theirs
FROM intermute.reservations AS mine JOIN intermute.reservations AS theirs
    ON starts_with(theirs.anchor, mine.anchor) OR starts_with(mine.anchor, theirs.anchor)
WHERE mine.project = $1 AND mine.agent = $2 AND mine.released_at IS NULL AND mine.expires_at > $4
    AND theirs.project = $1 AND theirs.agent = ANY ($3::text[])
    AND theirs.released_at IS NULL AND theirs.expires_at > $4
LIMIT $5
