"""The threads that may touch the database.

One thread writes messages, a few read pages, two stand at the door and find out who connects: none waits for another,
and the event loop waits for none. Each keeps its connection open for life; a broken one is dropped and made anew.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection

from . import conf
from .protocol import Refusal

logger = logging.getLogger("chat.database")

P = ParamSpec("P")
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Unavailable(Refusal):
    """The database is away, locked or too slow; the caller is asked to come back."""

    def __init__(self) -> None:
        super().__init__("unavailable", "The database does not answer just now.", conf.UNAVAILABLE_RETRY_S)


class Threads:
    """A few threads with a bound on what waits for them."""

    def __init__(self, count: int, name: str):
        self._executor = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._waiting = 0

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do the work in one of the threads. Raises Unavailable when the database fails or takes too long.

        Work that took too long and has begun is not stopped: it ends by the database's own time-outs, unheard.
        """
        if self._waiting >= conf.DATABASE_QUEUE_LIMIT:
            raise Unavailable
        self._waiting += 1
        future = self._executor.submit(lambda: _guarded(work, *args, **kwargs))
        try:
            async with asyncio.timeout(conf.DATABASE_PATIENCE_S):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise Unavailable from None
        finally:
            self._waiting -= 1


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


def _guarded(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run the work; a connection that broke since its last use is replaced, once."""
    try:
        return work(*args, **kwargs)
    except (OperationalError, InterfaceError) as first:
        connection.close()
        if _is_about_time(first):
            raise _unavailable(first) from first
    try:
        return work(*args, **kwargs)
    except (OperationalError, InterfaceError) as second:
        connection.close()
        raise _unavailable(second) from second


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
readers = Threads(conf.READER_THREADS, "read")
door = Threads(conf.DOOR_THREADS, "door")
