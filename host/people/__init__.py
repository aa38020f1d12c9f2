"""Who is who: groups, addresses, roles, and how the first owner claims the bot."""
