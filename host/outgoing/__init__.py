"""What goes out: the outbox as desired state, and what brings every chat to show it."""
