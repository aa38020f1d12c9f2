"""What the local page shows and who may open it."""
