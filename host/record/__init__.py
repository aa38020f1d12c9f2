"""The audit log: append-only, chained, its key and head kept outside the database."""
