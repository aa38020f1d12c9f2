"""Helpers: agents that the main group's agent asks for, each in a container of its own."""
