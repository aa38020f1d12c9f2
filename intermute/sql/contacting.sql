-- contacting.contacts
-- Those of the agents $1 that have $2 among their contacts.
SELECT agent FROM intermute.contacts WHERE contact = $2 AND agent = ANY ($1::text[])

-- contacting.thread
SELECT true FROM intermute.threads WHERE project = $1 AND agent = $2 AND thread_id = $3

-- contacting.held
-- What the agents $2 hold in project $1 at $3.
SELECT agent, pattern FROM intermute.reservations
WHERE agent = ANY ($2::text[]) AND project = $1 AND released_at IS NULL AND expires_at > $3
