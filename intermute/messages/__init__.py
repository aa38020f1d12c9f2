"""Messages between agents: kept once, put into inboxes, gathered in threads and topics, found again."""
