"""The front door: HTTP goes to Django, WebSockets go to the chat."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

django = get_asgi_application()

from chat.sockets.routing import StartRuntimeOnFirstRequest, websocket  # noqa: E402

application = StartRuntimeOnFirstRequest(ProtocolTypeRouter({"http": django, "websocket": websocket}))
