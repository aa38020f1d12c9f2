"""Agents and people: every conversation in order, an agent kept warm for it, turns that survive crashes."""
