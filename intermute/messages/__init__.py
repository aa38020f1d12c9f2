"""Messages between agents: sending, inboxes, threads, topics, search."""
