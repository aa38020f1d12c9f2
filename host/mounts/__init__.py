"""Folders of this machine that groups may see beside their own, as far as a file of its people allows."""
