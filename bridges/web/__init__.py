"""The local chat page: rooms, live messages and cards in a browser on this machine."""
