"""The threads that may touch the database.

One thread writes messages, a few read pages, two stand at the door and find out who connects: none waits for another,
and the event loop waits for none. Each keeps its connection open for life; a broken one is dropped and made anew.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection

from chat.wire.refusals import Refusal

from . import limits

logger = logging.getLogger("chat.database")

P = ParamSpec("P")
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Unavailable(Refusal):
    """The database is away, locked or too slow; the caller is asked to come back."""

    def __init__(self) -> None:
        super().__init__("unavailable", "The database does not answer just now.", limits.UNAVAILABLE_RETRY_S)


class Job(NamedTuple):
    """Work for a thread, and who waits for it how long."""

    work: Callable[[], Any]
    future: asyncio.Future[Any]
    patience: asyncio.TimerHandle
    loop: asyncio.AbstractEventLoop


class Threads:
    """A few threads with a bound on what waits for them.

    Not an executor, whose futures, chained to those of the loop, cost as much as a short transaction.
    """

    def __init__(self, count: int, name: str):
        self._count, self._name = count, name
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._waiting = 0
        self._threads: list[Thread] = []

    def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Do the work in one of the threads. The future ends in Unavailable when the database fails or takes too long.

        Work that took too long and has begun is not stopped: it ends by the database's own time-outs, unheard.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        if self._waiting >= limits.DATABASE_QUEUE_LIMIT:
            future.set_exception(Unavailable())
            return future
        self._waiting += 1
        patience = loop.call_later(limits.DATABASE_PATIENCE_S, _give_up, future)
        self._jobs.put(Job(partial(work, *args, **kwargs), future, patience, loop))
        if len(self._threads) < min(self._waiting, self._count):
            self._start_another()
        return future

    def _start_another(self) -> None:
        thread = Thread(target=self._serve, name=f"{self._name}-{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        while True:
            job = self._jobs.get()
            outcome = (None, None) if job.future.done() else _outcome(job.work)
            with suppress(RuntimeError):  # the loop has ended
                job.loop.call_soon_threadsafe(self._land, job, *outcome)

    def _land(self, job: Job, value: Any, problem: BaseException | None) -> None:
        self._waiting -= 1
        job.patience.cancel()
        _settle(job.future, value, problem)


def _outcome(work: Callable[[], T]) -> tuple[T | None, BaseException | None]:
    try:
        return _guarded(work), None
    except BaseException as problem:
        return None, problem


def _give_up(future: asyncio.Future[Any]) -> None:
    _settle(future, None, Unavailable())


def _settle(future: asyncio.Future[T], value: T, problem: BaseException | None) -> None:
    if future.done():
        return
    if problem is None:
        future.set_result(value)
    else:
        future.set_exception(problem)


class Together(Generic[K, V]):
    """Questions of one kind: those that come while an answer is on its way are answered together by the next."""

    def __init__(self, threads: Threads, answer: Callable[[list[K]], Mapping[K, V]]):
        self._threads = threads
        self._answer = answer
        self._waiting: dict[K, list[asyncio.Future[V]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def ask(self, key: K) -> V:
        future: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(future)
        if self._task is None:
            self._task = asyncio.create_task(self._answer_all())
        return await future

    async def _answer_all(self) -> None:
        try:
            while self._waiting:
                asked, self._waiting = self._waiting, {}
                await self._answer_these(asked)
        finally:
            self._task = None

    async def _answer_these(self, asked: dict[K, list[asyncio.Future[V]]]) -> None:
        try:
            answers = await self._threads.run(self._answer, list(asked))
        except Exception as problem:
            for future in _still_wanted(asked.values()):
                future.set_exception(problem)
            return
        for key, futures in asked.items():
            for future in _still_wanted([futures]):
                future.set_result(answers[key])


def _still_wanted(futures: Iterable[list[asyncio.Future[V]]]) -> list[asyncio.Future[V]]:
    return [future for several in futures for future in several if not future.done()]


def _guarded(work: Callable[[], T]) -> T:
    """Do the work; a connection that broke since its last use is replaced, once."""
    try:
        return work()
    except (OperationalError, InterfaceError) as first:
        connection.close()
        if _is_about_time(first):
            raise _unavailable(first) from first
    try:
        return work()
    except (OperationalError, InterfaceError) as second:
        connection.close()
        raise _unavailable(second) from second


# Transactions ------------------------------------------------------------------------------------------------


class Statements:
    """Plain SQL on the driver's own cursor, with %s for a value: Django's cursor costs as much as the statement."""

    def __init__(self, cursor: Any):
        self._cursor = cursor
        self._mark = "?" if connection.vendor == "sqlite" else "%s"

    def select(self, sql: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        return self._cursor.execute(sql.replace("%s", self._mark), list(values)).fetchall()

    def execute_many(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        self._cursor.executemany(sql.replace("%s", self._mark), rows)


@contextmanager
def transaction() -> Iterator[Statements]:
    """One transaction of this thread that writes; SQLite's lock is taken at once. Raises Django's database errors.

    The ORM may read in it too: it is the same connection.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, closing(connection.connection.cursor()) as cursor:
        cursor.execute("BEGIN IMMEDIATE" if connection.vendor == "sqlite" else "BEGIN")
        try:
            yield Statements(cursor)
            cursor.execute("COMMIT")
        except BaseException:
            with suppress(Exception):  # a broken connection has rolled back already
                cursor.execute("ROLLBACK")
            raise


# Trouble -----------------------------------------------------------------------------------------------------

_complained_at = -math.inf


def _unavailable(problem: Exception) -> Unavailable:
    """Tell the operator why, once a second at most; the client is told only to come back."""
    global _complained_at
    if time.monotonic() - _complained_at > 1:
        _complained_at = time.monotonic()
        logger.warning("the database does not answer: %s", str(problem).strip())
    return Unavailable()


def _is_about_time(problem: Exception) -> bool:
    """A lock or a time-out would only happen again; a lost connection would not."""
    text = str(problem).lower()
    return "locked" in text or "timeout" in text or "time-out" in text


writer = Threads(1, "write")
readers = Threads(limits.READER_THREADS, "read")
door = Threads(limits.DOOR_THREADS, "door")
