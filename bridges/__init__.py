"""Chat networks: one adapter each, between the network's JSON and our words."""
