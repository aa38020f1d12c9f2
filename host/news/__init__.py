"""What the kernel tells: its events consumed once, as cards, lines and pictures."""
