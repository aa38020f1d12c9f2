"""The peer as a machine without input or output: what came in, what is to be done."""
