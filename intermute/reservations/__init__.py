"""File reservations: who holds which paths, who waits for them, and who had them last."""
