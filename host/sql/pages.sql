-- What the page shows beside the transcript.

-- pages.preferred
-- The post that stands for a card that is posted in several chats of a group: the page's own, else the first.
SELECT id FROM host.posts WHERE approval = $1 AND folder = $2 AND kind = 'decision'
ORDER BY address NOT LIKE 'web:%', id LIMIT 1

-- pages.open_cards
-- The cards of open questions, one per question, newest first.
SELECT a.run, a.project, (
    SELECT p.id FROM host.posts p WHERE p.approval = a.id AND p.folder = a.folder AND p.kind = 'decision'
    ORDER BY p.address NOT LIKE 'web:%', p.id LIMIT 1
) AS post
FROM host.approvals a
WHERE a.folder = $1 AND a.state IN ('pending', 'executing', 'deferred')
ORDER BY a.id DESC LIMIT $2

-- pages.open_counts
SELECT folder, count(*)::int AS open FROM host.approvals
WHERE state IN ('pending', 'executing', 'deferred') GROUP BY folder

-- pages.told_here
-- Whether the page has the same line of the host as another chat of the group.
SELECT EXISTS (
    SELECT FROM host.posts p JOIN host.posts q ON q.folder = p.folder
    WHERE p.id = $1 AND q.kind = 'notice' AND q.address LIKE 'web:%' AND q.id <> p.id
        AND q.content->>'text' = p.content->>'text' AND abs(extract(epoch FROM q.created_at - p.created_at)) < 5
)
