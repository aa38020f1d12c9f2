-- What every notice looks up in tables that only grow.

-- The phase lines of a chat, of which the newest may be said anew.
CREATE INDEX posts_of_phases ON host.posts (address, created_at) WHERE starts_with(slot, 'phase.changed:');

-- The last card that asked the same, open or not.
CREATE INDEX approvals_same ON host.approvals (dedupe, created_at);

-- What people decided, the newest first.
CREATE INDEX approvals_decided ON host.approvals (decided_at) WHERE decided_by IS NOT NULL;
