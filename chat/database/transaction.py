"""Transactions in as few round trips as the database allows: one to read, one to write and commit.

Plain SQL on the driver's own cursor, with %s for a value: Django's cursor costs as much as the statement. PostgreSQL
takes many statements in one trip (psycopg's pipeline); SQLite is in the process, and a trip costs it nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from django.db import connection
from psycopg import Connection, Cursor, Error


class Query(NamedTuple):
    """A statement, or a part of one, and its values."""

    sql: str
    values: list[Any]


Row = tuple[Any, ...]


class Statements(ABC):
    """The statements of one transaction. `connection` is the driver's."""

    def __init__(self, connection: Any):
        self._connection = connection

    @abstractmethod
    def begin(self) -> None:
        """Open the transaction, before its first statement."""

    @abstractmethod
    def together(self, queries: Sequence[Query]) -> list[list[Row]]:
        """The rows of each query, in order; a later one sees what an earlier one waited for."""

    @abstractmethod
    def commit(self, writes: Sequence[tuple[str, Sequence[Row]]]) -> None:
        """Run each statement for each of its rows, and commit."""

    @abstractmethod
    def roll_back(self) -> None: ...

    @staticmethod
    @abstractmethod
    def among(column: str, values: Sequence[Any]) -> Query:
        """The condition that a column has one of these values."""


class SQLiteStatements(Statements):
    """The lock for writing is taken at once."""

    def begin(self) -> None:
        self._cursor = self._connection.cursor()
        self._cursor.execute("BEGIN IMMEDIATE")

    def together(self, queries: Sequence[Query]) -> list[list[Row]]:
        return [self._cursor.execute(_marked(query.sql), query.values).fetchall() for query in queries]

    def commit(self, writes: Sequence[tuple[str, Sequence[Row]]]) -> None:
        for sql, rows in writes:
            if rows:
                self._cursor.executemany(_marked(sql), rows)
        self._cursor.execute("COMMIT")

    def roll_back(self) -> None:
        self._connection.execute("ROLLBACK")

    @staticmethod
    def among(column: str, values: Sequence[Any]) -> Query:
        return Query(f"{column} IN ({', '.join(['%s'] * len(values)) or 'NULL'})", list(values))


# A plan that was made while a table was empty reads all of an author's messages later on: every index looked as good as
# any other, and PostgreSQL keeps a plan until it has counted the rows. So plans are made anew after 1, 2, 4, 8 …
FORGET_PLANS = "DISCARD PLANS"


class PostgreSQLStatements(Statements):
    """Everything that is known to be asked goes out before the first answer is waited for, in one pipeline.

    On psycopg's own cursors: Django's write the values into the text, which could not be prepared.
    """

    def begin(self) -> None:
        begun = _another_begun(self._connection)
        self._open = ExitStack()
        self._open.enter_context(self._connection.pipeline())
        self._writing = Cursor(self._connection)
        if begun & (begun - 1) == 0:
            self._writing.execute(FORGET_PLANS)

    def together(self, queries: Sequence[Query]) -> list[list[Row]]:
        cursors = [Cursor(self._connection).execute(query.sql, query.values) for query in queries]
        return [cursor.fetchall() for cursor in cursors]

    def commit(self, writes: Sequence[tuple[str, Sequence[Row]]]) -> None:
        for sql, rows in writes:
            for row in rows:  # not executemany, which waits for its own end
                self._writing.execute(sql, row)
        self._open.close()

    def roll_back(self) -> None:
        with suppress(Error):  # it was told already
            self._writing.execute("ROLLBACK")
        with suppress(Error):
            self._open.close()

    @staticmethod
    def among(column: str, values: Sequence[Any]) -> Query:
        """One value or an array of them, however many there are: few statements, and each is prepared once."""
        if len(values) == 1:
            return Query(f"{column} = %s", [values[0]])
        return Query(f"{column} = ANY(%s)", [list(values)])


def _another_begun(connection: Connection[Row]) -> int:
    """The number of this transaction, of those on this connection."""
    if connection not in _begun:
        _prepare_statements(connection)
    _begun[connection] = begun = _begun.get(connection, 0) + 1
    return begun


def _prepare_statements(connection: Connection[Row]) -> None:
    """From the first use on, where the connection is the server's own.

    A pooler may give the next transaction to another server process, which knows nothing of what was prepared; it shows
    by a process number of its own.
    """
    (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone() or (0,)
    if pid == connection.info.backend_pid:
        connection.prepare_threshold = 0


_begun: WeakKeyDictionary[Connection[Row], int] = WeakKeyDictionary()


def _marked(sql: str) -> str:
    return sql.replace("%s", "?")


@contextmanager
def transaction() -> Iterator[Statements]:
    """One transaction of this thread that writes; it is over with `commit`. Raises Django's database errors."""
    connection.ensure_connection()
    kind = SQLiteStatements if connection.vendor == "sqlite" else PostgreSQLStatements
    statements = kind(connection.connection)
    with connection.wrap_database_errors:
        statements.begin()
        try:
            yield statements
        except BaseException:
            with suppress(Exception):  # a broken connection has rolled back already
                statements.roll_back()
            raise
