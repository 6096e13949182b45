"""The threads that may touch the database.

One thread writes messages, a few read pages, two find out who connects: none waits for another, and the event loop
waits for none. Each keeps its connection open for life; a broken one is dropped and made anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple, ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection

from chat import limits

from .trouble import Unavailable, is_timeout, unavailable

P = ParamSpec("P")
T = TypeVar("T")


class Job(NamedTuple):
    """Work for a thread, and who waits for it how long."""

    work: Callable[[], Any]
    future: asyncio.Future[Any]
    giving_up: asyncio.TimerHandle
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
        giving_up = loop.call_later(limits.DATABASE_PATIENCE_S, _give_up, future)
        self._jobs.put(Job(partial(work, *args, **kwargs), future, giving_up, loop))
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
        job.giving_up.cancel()
        _settle(job.future, value, problem)


def _outcome(work: Callable[[], T]) -> tuple[T | None, BaseException | None]:
    try:
        return _guarded(work), None
    except BaseException as problem:
        return None, problem


def _guarded(work: Callable[[], T]) -> T:
    """Do the work; a connection that broke since its last use is replaced, once."""
    try:
        return work()
    except (OperationalError, InterfaceError) as first:
        connection.close()
        if is_timeout(first):
            raise unavailable(first) from first
    try:
        return work()
    except (OperationalError, InterfaceError) as second:
        connection.close()
        raise unavailable(second) from second


def _give_up(future: asyncio.Future[Any]) -> None:
    _settle(future, None, Unavailable())


def _settle(future: asyncio.Future[T], value: T, problem: BaseException | None) -> None:
    if future.done():
        return
    if problem is None:
        future.set_result(value)
    else:
        future.set_exception(problem)


writer = Threads(1, "write")
readers = Threads(limits.READER_THREADS, "read")
identity_threads = Threads(limits.IDENTITY_THREADS, "identity")
