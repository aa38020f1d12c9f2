"""The model broker: agents reach their provider through it, and never hold a key."""
