"""Agents behind locks: sandboxes, their sockets, and the two protocols spoken over them."""
