"""The real agents, in real containers, against a model that says what the test wants."""
