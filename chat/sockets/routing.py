"""Which path speaks to which consumer, and what a connection passes on its way there."""

import asyncio
from typing import Any

from channels.routing import URLRouter
from django.urls import path

from chat.live import runtime

from .consumers import ChatConsumer, EchoConsumer
from .upgrade import AcceptAnybody, IdentifyPerson, KnownPaths, NegotiateDialect, SameOrigin


class StartRuntimeOnFirstRequest:
    """Starts the process-wide parts with the first request of any kind, such as a health check.

    So that the first person finds a process that has heard from the others already.
    """

    def __init__(self, app: Any):
        self.app = app
        self.starting: asyncio.Task[Any] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self.starting is None:
            self.starting = asyncio.create_task(runtime.running())
        await self.app(scope, receive, send)


chat = NegotiateDialect(IdentifyPerson(ChatConsumer.as_asgi()))

sockets: dict[str, Any] = {
    "/ws/": chat,
    "/ws/text/": chat,
    "/ws/echo/": AcceptAnybody(EchoConsumer.as_asgi()),
}

websocket = KnownPaths(SameOrigin(URLRouter([path(route[1:], app) for route, app in sockets.items()])), sockets)
