"""Path patterns: what they mean, whether two of them overlap, and how to find those that may."""
