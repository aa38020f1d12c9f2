"""The ground floor: PostgreSQL (embedded or external), named SQL, migrations, wake-ups, clock and ids."""
