"""intermute inside the host: its settings, how it runs here, and what agents in containers see of it."""
