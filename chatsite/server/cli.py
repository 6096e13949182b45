"""The command line: python -m chatsite.server [daphne's options] chatsite.asgi:application

Daphne's own, with the defaults of a chat. They are defined here and nowhere else.
"""

import sys
from collections.abc import Sequence

from daphne.cli import CommandLineInterface
from daphne.server import Server

from .hooks import is_fit
from .server import ChatServer

# A frame of each kind at its limit, and what else a message may be: above that nothing is read to its end.
MESSAGE_LIMIT_BYTES = 1_114_112

DEFAULTS = {
    "verbosity": 0,
    "websocket_connect_timeout": 20,
    "websocket_timeout": -1,
    "ping_interval": 30,
    "ping_timeout": 20,
    "websocket_max_message_size": MESSAGE_LIMIT_BYTES,
    "websocket_max_frame_size": MESSAGE_LIMIT_BYTES,
}


class CommandLine(CommandLineInterface):
    """Daphne's command line, quiet unless asked."""

    server_class = ChatServer

    def __init__(self) -> None:
        super().__init__()
        self.parser.set_defaults(**DEFAULTS)
        if not is_fit(ChatServer):
            self.server_class = Server

    def run(self, args: Sequence[str]) -> None:
        if self.parser.parse_args(args).root_path:
            sys.exit("chatsite: --root-path is not supported; give the site a host name, or a port, of its own.")
        super().run(args)
