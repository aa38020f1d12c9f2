"""Demarch: the operations agents and people may call, the kernel that executes them, its events."""
