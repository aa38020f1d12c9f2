-- Discoveries that people are asked about, one card at a time, and when a conversation last looked at what changed.

ALTER TABLE host.approvals DROP CONSTRAINT approvals_kind_check;
ALTER TABLE host.approvals ADD CONSTRAINT approvals_kind_check
    CHECK (kind IN ('gate', 'budget', 'finished', 'intent', 'permission', 'spend', 'spawn', 'discovery'));
CREATE INDEX approvals_discovery ON host.approvals (folder)
    WHERE kind = 'discovery' AND state IN ('pending', 'executing', 'deferred');

-- Each is kept for good: told once in its life, however often the kernel tells of it.
CREATE TABLE host.discoveries (
    project text NOT NULL,
    discovery text NOT NULL,
    folder text NOT NULL, -- the group that decides
    subject jsonb NOT NULL,
    score double precision NOT NULL,
    found_at timestamptz NOT NULL,
    due timestamptz NOT NULL, -- not asked about before
    handled_at timestamptz, -- when a card about it was answered last
    decided boolean NOT NULL DEFAULT false,
    PRIMARY KEY (project, discovery)
);
CREATE INDEX discoveries_waiting ON host.discoveries (folder, due) WHERE NOT decided;
CREATE INDEX discoveries_handled ON host.discoveries (folder, handled_at) WHERE handled_at IS NOT NULL;

CREATE TABLE host.last_looks (
    lane text NOT NULL,
    project text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (lane, project)
);
