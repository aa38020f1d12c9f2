"""Everything a person decides: approvals, their cards, the desk that decides each of them once."""
