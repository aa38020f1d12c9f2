"""Executables that answer as the kernel's binaries `ic` and `bd` do, down to what they refuse.

They start anew for every command as the real ones do, so they load next to nothing; state is SQLite in the
project's folder. `project.Project` makes such a folder, with the executables beside it.
"""
