-- Portfolios: a run over several projects, with a run of its own for each of them.
ALTER TABLE kernel.runs
    ADD COLUMN portfolio boolean NOT NULL DEFAULT false,
    ADD COLUMN parent_id text REFERENCES kernel.runs,
    -- how many agents may be at work in its children at the same time
    ADD COLUMN max_dispatches int CHECK (max_dispatches > 0),
    ADD CHECK (portfolio OR max_dispatches IS NULL),
    ADD CHECK (NOT portfolio OR parent_id IS NULL);
CREATE INDEX runs_of_parent ON kernel.runs (parent_id, project_dir) WHERE parent_id IS NOT NULL;
-- The current run is asked for all the time, and children are nobody's.
DROP INDEX kernel.runs_active;
CREATE INDEX runs_active ON kernel.runs (created_at DESC, id) INCLUDE (parent_id) WHERE status = 'active';
CREATE INDEX agents_at_work ON kernel.agents (run_id) WHERE status = 'active';
