"""The commands a chat network offers in its menu, with a word on each."""

MENU = (
    ("help", "what you may do here"),
    ("status", "what runs and what waits"),
    ("approvals", "open decisions, each one tap away"),
    ("discoveries", "what was found, one tap each"),
    ("spend", "what models cost here"),
    ("mute", "less news for a while"),
    ("digest", "news at a time of your own"),
    ("stop", "end the running turn"),
    ("reset", "begin a new conversation"),
    ("model", "who answers here"),
    ("chatid", "the address of this chat"),
    ("ping", "whether I am there"),
)
