"""The host's side of the way out: which hosts a group may reach, and what is kept of every attempt."""
