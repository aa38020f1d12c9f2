"""Protomux frames, as the transport under a sidechannel carries them."""
