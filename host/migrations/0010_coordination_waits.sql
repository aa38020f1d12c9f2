-- Places in intermute's queues that containers' agents took: whoever waits there is told in its conversation
-- when its turn comes, or that it did not. `id` is that of the place, and then of the (first) reservation.
CREATE TABLE host.coordination_waits (
    id text PRIMARY KEY,
    agent text NOT NULL,
    project text NOT NULL,
    lane text NOT NULL,
    paths text[] NOT NULL,
    -- false while the place is being asked for
    joined boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL
);
