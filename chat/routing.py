"""Which path speaks to which consumer, and what a connection passes on its way there."""

from typing import Any

from channels.routing import URLRouter
from django.urls import path

from .consumers import ChatConsumer, EchoConsumer
from .middleware import Accepted, Dialects, KnownPaths, Names, SameOrigin

chat = Dialects(Names(ChatConsumer.as_asgi()))

sockets: dict[str, Any] = {
    "/ws/": chat,
    "/ws/text/": chat,
    "/ws/echo/": Accepted(EchoConsumer.as_asgi()),
}

websocket = KnownPaths(SameOrigin(URLRouter([path(route[1:], app) for route, app in sockets.items()])), sockets)
