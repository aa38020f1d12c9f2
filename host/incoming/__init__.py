"""What comes in: accepted durably, then for an agent, for the desk, or answered as a command."""
