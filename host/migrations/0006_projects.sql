-- Several projects: whoever asks later what became of a write asks the kernel of the project it was for.

ALTER TABLE host.intents ADD COLUMN project text NOT NULL DEFAULT '';
