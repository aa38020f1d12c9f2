"""The agent of the runtime `local`: needs no model and no key, and answers only by calling tools."""
