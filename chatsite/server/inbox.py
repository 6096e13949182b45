"""What came in for an application: kept until it asks, or handed to it at once."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

logger = logging.getLogger(__name__)
Message = dict[str, Any]


class Inbox:
    """What came in for an application. An `asyncio.Queue` has four deques: 3 kB for nothing, most of the time."""

    __slots__ = ("_messages", "_waiter")

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._waiter: asyncio.Future[None] | None = None

    def put_nowait(self, message: Message) -> None:
        self._messages.append(message)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def get(self) -> Message:
        """The next message. One application waits for it."""
        while not self._messages:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self.get_nowait()

    def get_nowait(self) -> Message:
        return self._messages.pop(0)

    def qsize(self) -> int:
        return len(self._messages)


class DirectInbox:
    """In place of an application's queue: what comes is taken at once."""

    __slots__ = ("_protocol", "_received")

    def __init__(self, protocol: Any, received: Callable[[Message], None]) -> None:
        self._protocol = protocol
        self._received = received

    def put_nowait(self, message: Message) -> None:
        """An application that fails is told of as Daphne does it."""
        try:
            self._received(message)
        except Exception as error:
            logger.exception("Exception inside application: %s", error)
            self._protocol.handle_exception(error)

    def qsize(self) -> int:
        return 0
