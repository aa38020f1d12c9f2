"""The fake `ic`, the kernel's own command line (0.3.5)."""
