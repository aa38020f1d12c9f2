-- contacts.list
-- Of agent $1, after the contact $2, $3 at most.
SELECT contact FROM intermute.contacts WHERE agent = $1 AND contact > $2 ORDER BY contact LIMIT $3

-- contacts.hold
-- Whoever adds contacts of one agent takes turns.
SELECT true FROM intermute.agents WHERE id = $1 AND ($2::text IS NULL OR project = $2) FOR UPDATE

-- contacts.add
INSERT INTO intermute.contacts (agent, contact, created_at)
SELECT $1, contact, $3 FROM unnest($2::text[]) AS given (contact)
ON CONFLICT DO NOTHING

-- contacts.count
SELECT count(*) FROM intermute.contacts WHERE agent = $1

-- contacts.remove
DELETE FROM intermute.contacts WHERE agent = $1 AND contact = $2
