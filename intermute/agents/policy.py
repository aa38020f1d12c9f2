"""Who may write to an agent: the four answers."""

OPEN = "open"  #: everybody
AUTO = "auto"  #: those of `contacts_only`, and whoever holds files that overlap its own
CONTACTS_ONLY = "contacts_only"  #: its contacts, and who is in the thread with it already
BLOCK_ALL = "block_all"  #: nobody

POLICIES = (OPEN, AUTO, CONTACTS_ONLY, BLOCK_ALL)

#: to be typed into a terminal asks for more trust than to be put into an inbox
LIVE_DEFAULT = CONTACTS_ONLY
