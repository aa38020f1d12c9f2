"""Peer-to-peer channels between agents of different machines."""
