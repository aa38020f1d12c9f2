-- What the metrics read off the tables every few seconds.

-- metrics.now
SELECT
    (SELECT min(received_at) FROM host.updates WHERE handled_at IS NULL) AS oldest_update,
    (SELECT count(*) FROM host.posts WHERE sent_version < version AND failed IS NULL) AS posts_waiting,
    (SELECT count(*) FROM host.approvals WHERE state IN ('pending', 'executing', 'deferred')) AS approvals_open,
    (SELECT count(*) FROM host.turns WHERE state = 'running') AS turns_running;

-- metrics.cards_sent
-- First sendings only: an edit moves sent_at on, so what was counted once is left out by its creation.
SELECT created_at, sent_at FROM host.posts
WHERE sent_at > $1 AND sent_at <= $2 AND created_at > $3 AND kind = 'decision';
