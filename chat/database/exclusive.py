"""One preparation of a database at a time, whoever starts it: containers of one site often start together."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import connection

# Of this site's among the advisory locks of a database.
LOCK = 0x63686174


@contextmanager
def exclusive() -> Iterator[None]:
    """Wait until nobody else is in here with the same database, in any process, on any machine."""
    with _sqlite_lock() if connection.vendor == "sqlite" else _postgresql_lock():
        yield


@contextmanager
def _sqlite_lock() -> Iterator[None]:
    """On the folder: closing the database's own file would take away the locks that SQLite holds on it."""
    folder = os.open(Path(connection.settings_dict["NAME"]).parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


@contextmanager
def _postgresql_lock() -> Iterator[None]:
    """In a transaction, on a connection of its own: a pooler may change the server after each transaction."""
    with closing(connection.copy()) as other:
        other.settings_dict["OPTIONS"].pop("pool", None)
        other.set_autocommit(False)
        with other.cursor() as cursor:
            for limit in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
                cursor.execute(f"SET LOCAL {limit} = 0")
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            yield
