"""Who a peer is: its ed25519 key, the file that keeps it, the address it is known by."""
