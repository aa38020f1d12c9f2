"""The process that wires everything: routing, conversations, decisions, notices, settings and commands."""
