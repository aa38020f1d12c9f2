"""Signed blobs that people hand to each other: welcomes, invites, revocations."""
