-- contacting.contacts
-- Those of the agents $1 that have $2 among their contacts.
SELECT agent FROM intermute.contacts WHERE contact = $2 AND agent = ANY ($1::text[])

-- contacting.thread
-- Those of the agents $4 that take part in thread $3 of project $1 together with agent $2.
SELECT agent FROM intermute.threads
WHERE project = $1 AND thread_id = $3 AND agent = ANY ($4::text[])
    AND EXISTS (SELECT FROM intermute.threads WHERE project = $1 AND agent = $2 AND thread_id = $3)

-- contacting.side_by_side
-- Pairs of what the agents $3 and agent $2 hold in project $1 at $4, where they may overlap; $5 at most.
SELECT theirs.agent, mine.pattern AS mine, theirs.pattern AS theirs
FROM intermute.reservations AS mine JOIN intermute.reservations AS theirs
    ON starts_with(theirs.anchor, mine.anchor) OR starts_with(mine.anchor, theirs.anchor)
WHERE mine.held_in = $1 AND mine.holder = $2 AND mine.held_until > $4
    AND theirs.held_in = $1 AND theirs.holder = ANY ($3::text[]) AND theirs.held_until > $4
LIMIT $5
