-- messages.send
-- A batch, of which each message is new, known already ($1.. are its columns, recipients as text of arrays), or
-- held back because a recipient has a policy that must be asked first. $16.. are the rows of those who take part:
-- which message, who, and as what ('from' is the sender). The counter is taken before anything is written, and held.
WITH given AS MATERIALIZED (
    SELECT * FROM unnest(
        $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
        $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::bool[], $15::bool[]
    ) WITH ORDINALITY AS given (
        project, id, thread_id, sender, recipients, cc, bcc, denied,
        subject, topic, body, importance, transport, ack_required, asked, number
    )
), named AS MATERIALIZED (
    SELECT * FROM unnest($16::int[], $17::text[], $18::text[]) AS named (number, agent, kind)
), known AS MATERIALIZED (
    SELECT given.number, (
        SELECT messages.cursor FROM intermute.messages
        WHERE messages.project = given.project AND messages.id = given.id
    ) AS cursor
    FROM given
), held AS MATERIALIZED (
    SELECT DISTINCT named.number
    FROM named JOIN given USING (number)
    WHERE NOT given.asked AND named.kind <> 'from'
        AND (SELECT contact_policy FROM intermute.agents WHERE agents.id = named.agent) NOT IN ('', 'open')
), fresh AS MATERIALIZED (
    SELECT row_number() OVER (ORDER BY number) AS place, given.*
    FROM given
    WHERE number NOT IN (SELECT number FROM known WHERE cursor IS NOT NULL)
        AND number NOT IN (SELECT number FROM held)
), taken AS (
    UPDATE intermute.counter SET cursor = cursor + (SELECT count(*) FROM fresh)
    WHERE EXISTS (SELECT FROM fresh)
    RETURNING cursor - (SELECT count(*) FROM fresh) AS before
), posted AS MATERIALIZED (
    SELECT taken.before + fresh.place AS cursor, fresh.* FROM fresh CROSS JOIN taken
), kept AS (
    INSERT INTO intermute.messages (
        cursor, project, id, thread_id, sender, recipients, cc, bcc, denied,
        subject, topic, body, importance, transport, ack_required, created_at
    )
    SELECT
        cursor, project, id, thread_id, sender, recipients::text[], cc::text[], bcc::text[], denied::text[],
        subject, topic, body, importance, transport, ack_required, $19
    FROM posted
), boxed AS (
    INSERT INTO intermute.inbox (project, agent, cursor, kind, ack_required)
    SELECT posted.project, named.agent, posted.cursor, named.kind, posted.ack_required
    FROM posted JOIN named USING (number)
    WHERE named.kind <> 'from'
), talked AS (
    INSERT INTO intermute.threads AS threads (project, agent, thread_id, last_cursor, message_count)
    SELECT posted.project, named.agent, posted.thread_id, max(posted.cursor), count(*)
    FROM posted JOIN named USING (number)
    WHERE posted.thread_id <> ''
    GROUP BY posted.project, named.agent, posted.thread_id
    ON CONFLICT (project, agent, thread_id) DO UPDATE
    SET last_cursor = excluded.last_cursor, message_count = threads.message_count + excluded.message_count
), told AS (
    INSERT INTO intermute.events (cursor, project, type, audience, data, at)
    SELECT
        posted.cursor, posted.project, 'message.created',
        ARRAY (SELECT agent FROM named WHERE named.number = posted.number AND kind <> 'from'),
        jsonb_build_object('message_id', posted.id), $19
    FROM posted
)
SELECT known.number, known.cursor AS known, posted.cursor, CASE
    WHEN known.number = 1 AND EXISTS (SELECT FROM posted)
    THEN pg_notify('intermute_events', (SELECT max(cursor) FROM posted)::text)::text
END
FROM known LEFT JOIN posted USING (number)
ORDER BY known.number

-- messages.stands
SELECT cursor, thread_id, sender, recipients, cc, bcc, denied, subject, topic, body, importance, ack_required
FROM intermute.messages WHERE project = $1 AND id = $2

-- messages.hold_words
-- Whoever puts words down is done, or waits until the caller's transaction is.
SELECT cursor FROM intermute.worded FOR SHARE

-- messages.say_again
-- The newest words of a message; needs `hold_words` before it, in the same transaction.
WITH said AS (
    UPDATE intermute.messages
    SET subject = $2, topic = $3, body = $4, importance = $5, ack_required = $6
    WHERE cursor = $1
    RETURNING cursor, project, subject, body, recipients || cc || bcc AS named
), asked AS (
    UPDATE intermute.inbox SET ack_required = $6
    WHERE agent = ANY ((SELECT named FROM said)::text[]) AND project = (SELECT project FROM said) AND cursor = $1
)
UPDATE intermute.words SET words = intermute.words_of(said.project, said.subject, said.body)
FROM said WHERE words.cursor = $1

-- messages.injected
-- Message $1 of project $2 was typed into the terminals of agents $3 at $4.
UPDATE intermute.inbox SET injected_at = $4 WHERE agent = ANY ($3::text[]) AND project = $2 AND cursor = $1

-- messages.members
-- Everybody who is registered in the project, save $2.
SELECT id FROM intermute.agents WHERE project = $1 AND id <> $2 ORDER BY id

-- messages.broadcast
-- Counts one more of the sender's in the window that began at most $4 ago; answers its number and when it began.
INSERT INTO intermute.broadcasts AS counted (project, sender, began, count) VALUES ($1, $2, $3, 1)
ON CONFLICT (project, sender) DO UPDATE SET
    began = CASE WHEN counted.began > $3 - $4::interval AND counted.began <= $3 THEN counted.began ELSE $3 END,
    count = CASE WHEN counted.began > $3 - $4::interval AND counted.began <= $3 THEN counted.count + 1 ELSE 1 END
RETURNING began, count

-- messages.forget_broadcasts
-- Windows of senders who have been silent since.
DELETE FROM intermute.broadcasts WHERE began < $1
