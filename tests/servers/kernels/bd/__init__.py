"""The fake `bd`, the issue tracker's command line (1.0.5)."""
