-- How far each container's agent has read its inbox in intermute. A turn that is run again reads again what
-- its first attempt read: `before` is where that began.
CREATE TABLE host.coordination_marks (
    agent text NOT NULL,
    project text NOT NULL,
    cursor bigint NOT NULL,
    before bigint NOT NULL,
    turn uuid NOT NULL,
    attempt integer NOT NULL,
    PRIMARY KEY (agent, project)
);
