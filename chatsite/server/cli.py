"""The command line: python -m chatsite.server [daphne's options] chatsite.asgi:application

Daphne's own, with the defaults of a chat, and quiet unless asked.
"""

from daphne.cli import CommandLineInterface
from daphne.server import Server

from .hooks import is_fit
from .server import ChatServer


class CommandLine(CommandLineInterface):
    """Daphne's command line with the defaults of a chat, and quiet unless asked."""

    server_class = ChatServer

    def __init__(self) -> None:
        super().__init__()
        self.parser.set_defaults(
            verbosity=0, websocket_connect_timeout=20, websocket_timeout=-1, ping_interval=30, ping_timeout=20
        )
        if not is_fit(ChatServer):
            self.server_class = Server
