"""The seven work entities: specs, epics, stories, tasks, insights, sessions, journeys."""
