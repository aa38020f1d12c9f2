"""What can go wrong on the ground floor. Every message is a sentence for the person who reads it.

StorageError
├── DatabaseUnavailable   no connection, or it broke; a commit under way may or may not have happened
├── DatabaseTaken         another host holds this database (LeaseLost: it took it while we were running)
│   └── LeaseLost
├── DataFolderBusy        another host uses this data folder
├── ServerFailed          the embedded PostgreSQL could not be made or started
├── SchemaTooNew          the database was migrated by a newer version of the program
├── BrokenMigrations      the migration files or what was applied of them do not fit together
└── BadStatements         a `.sql` file is wrong, or a statement is asked for that is not in it
"""


class StorageError(Exception):
    """The root of all storage errors."""


class DatabaseUnavailable(StorageError):
    """PostgreSQL cannot be reached or the connection broke.

    When it is raised on leaving a transaction nobody can say whether that transaction was committed.
    """


class DatabaseTaken(StorageError):
    """Another process holds the lease on this database."""


class LeaseLost(DatabaseTaken):
    """Another process took the lease while our connection was gone."""


class DataFolderBusy(StorageError):
    """Another host uses this data folder."""


class ServerFailed(StorageError):
    """The embedded PostgreSQL could not be made, started or read."""


class SchemaTooNew(StorageError):
    """The database was migrated by a newer version of the program."""


class BrokenMigrations(StorageError):
    """Migration files are missing, misnamed, renamed after they were applied, or failed."""


class BadStatements(StorageError, LookupError):
    """A `.sql` file cannot be read as named statements, or does not hold the one asked for."""
