"""The kernel that is a real agency's own: it drives the command lines `ic` and `bd` in a project's folder."""
