-- following.forget
-- How far the events of projects were read that no group has any more.
DELETE FROM host.feed_marks WHERE project <> ALL($1::text[])
