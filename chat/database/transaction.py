"""Transactions in as few round trips as the database allows: one to read, one to write and commit.

Plain SQL on the driver's own cursor, with %s for a value: Django's cursor costs as much as the statement. PostgreSQL
takes many statements in one trip (psycopg's pipeline); SQLite is in the process, and a trip costs it nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from django.db import connection


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


class PostgreSQLStatements(Statements):
    """Everything that is known to be asked goes out before the first answer is waited for."""

    def begin(self) -> None:
        self._has_begun = False

    def together(self, queries: Sequence[Query]) -> list[list[Row]]:
        with self._connection.pipeline():
            self._begin_once()
            cursors = [self._connection.execute(query.sql, query.values) for query in queries]
        return [cursor.fetchall() for cursor in cursors]

    def commit(self, writes: Sequence[tuple[str, Sequence[Row]]]) -> None:
        with self._connection.pipeline():
            self._begin_once()
            for sql, rows in writes:
                for row in rows:  # not executemany, which waits for its own end
                    self._connection.execute(sql, row)
            self._connection.execute("COMMIT")

    def roll_back(self) -> None:
        self._connection.execute("ROLLBACK")

    def _begin_once(self) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._connection.execute("BEGIN")

    @staticmethod
    def among(column: str, values: Sequence[Any]) -> Query:
        """One value, however many there are: the statement stays the same, and is prepared once."""
        return Query(f"{column} = ANY(%s)", [list(values)])


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
