"""Where implementations meet ports: each module builds one room of the host from what it is given."""
