"""The database of the site, from outside: what it keeps, and ways to make it trouble."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sqlite3
from abc import ABC, abstractmethod
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg

from rig.programs import PostgreSQL
from rig.waiting import until

from .history import Kept, Row

ROWS = """
    SELECT room.slug, message.seq, message.version, author.username, message.nonce, message.text,
        message.edited_at IS NOT NULL, message.deleted_at IS NOT NULL, message.reactions, message.ordinal
    FROM chat_message message
    JOIN chat_room room ON room.id = message.room_id
    JOIN accounts_user author ON author.id = message.author_id
    ORDER BY message.version
"""
HEADS = "SELECT slug, head FROM chat_room"
READ = """
    SELECT room.slug, reader.username, membership.read_ordinal
    FROM chat_membership membership
    JOIN chat_room room ON room.id = membership.room_id
    JOIN accounts_user reader ON reader.id = membership.user_id
"""


class Database(ABC):
    """What both kinds have in common."""

    @abstractmethod
    def select(self, statement: str) -> list[tuple[Any, ...]]: ...

    @abstractmethod
    async def hold_lock(self, seconds: float, chance: random.Random) -> str:
        """Nobody else writes for so long. Returns what was locked."""

    @abstractmethod
    def stop(self) -> None:
        """Whatever runs for it ends."""

    def heads(self) -> dict[str, int]:
        return dict(self.select(HEADS))

    def read(self) -> dict[tuple[str, str], int]:
        """How far everybody has read, by room and name."""
        return {(room, name): ordinal for room, name, ordinal in self.select(READ)}

    def kept(self) -> Kept:
        rooms: dict[str, list[Row]] = {}
        for room, seq, version, author, nonce, text, is_edited, is_deleted, reactions, ordinal in self.select(ROWS):
            reactions = json.loads(reactions) if isinstance(reactions, str) else reactions
            row = Row(seq, version, author, nonce, text, bool(is_edited), bool(is_deleted), reactions, ordinal)
            rooms.setdefault(room, []).append(row)
        return Kept(rooms, self.heads(), self.read())


class SQLiteDatabase(Database):
    """A file."""

    def __init__(self, path: Path):
        self._path = path

    def select(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._path)) as connection:
            return connection.execute(statement).fetchall()

    async def hold_lock(self, seconds: float, chance: random.Random) -> str:
        with closing(sqlite3.connect(self._path, timeout=0, isolation_level=None)) as connection:
            await until(lambda: _begins(connection))
            await asyncio.sleep(seconds)
            connection.execute("ROLLBACK")
        return "the file"

    def stop(self) -> None: ...


class PostgreSQLDatabase(Database):
    """A server of its own, which keeps what it has committed when it is killed."""

    def __init__(self, folder: Path):
        data = folder / "postgresql"
        data.mkdir()
        self.program = _PostgreSQL(data)
        self.url = self.program.url("postgres")

    def select(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement).fetchall()

    async def hold_lock(self, seconds: float, chance: random.Random) -> str:
        what = chance.choice(["the rooms' rows", "the messages, reading too"])
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            if what == "the rooms' rows":
                await connection.execute("SELECT 1 FROM chat_room ORDER BY id FOR UPDATE")
            else:
                await connection.execute("LOCK TABLE chat_message IN ACCESS EXCLUSIVE MODE")
            await asyncio.sleep(seconds)
            await connection.rollback()
        return what

    def freeze(self) -> None:
        self.program.freeze()
        for pid in _children(self.program.pid):
            _signal(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        for pid in _children(self.program.pid):
            _signal(pid, signal.SIGCONT)
        self.program.thaw()

    async def restart(self, away_s: float, number: signal.Signals) -> None:
        """SIGINT closes every connection; SIGQUIT leaves the recovery to the next start."""
        self.program.process.send_signal(number)
        await asyncio.to_thread(self.program.process.wait)
        await asyncio.sleep(away_s)
        self.program.start()
        await until(self.program.is_ready)

    def stop(self) -> None:
        self.thaw()
        self.program.stop()


class _PostgreSQL(PostgreSQL):
    """Started again without waiting for it; and a commit is a commit, unlike in the tests."""

    FAST = ("fsync=off", "max_connections=300")  # type: ignore[assignment]

    def _wait_until_ready(self) -> None:
        """Only the first start is waited for."""
        if not hasattr(self, "_has_started"):
            self._has_started = True
            super()._wait_until_ready()


def _begins(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    return True


def _children(parent: int) -> list[int]:
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [pid for pid in pids if _parent(pid) == parent]


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError):
        return None


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
