"""The event log: one cursor for everything that happened, told to everybody who listens."""
