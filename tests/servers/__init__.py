"""Stand-ins for the services we talk to: real sockets, strict rules."""
