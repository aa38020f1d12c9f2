"""What operations answer, in sentences: the same whichever kernel executed them."""
