"""Questions of one kind, answered together by one query."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Generic, TypeVar

from .threads import Threads

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Batched(Generic[K, V]):
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
