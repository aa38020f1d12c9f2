"""Live delivery: a message typed into the terminal an agent sits at."""
