"""How often a client waits for its PostgreSQL: a relay between the two that counts."""

from __future__ import annotations

import socket
from select import select
from threading import Thread
from typing import Self


class TripCounter:
    """Passes one connection on to the server whose socket is in that folder; `trips` are answers waited for."""

    def __init__(self, folder: str):
        self.trips = 0
        self._folder = folder

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """The client has closed its connection by now."""
        self._thread.join()

    def _serve(self) -> None:
        with self._listener, self._listener.accept()[0] as client, socket.socket(socket.AF_UNIX) as server:
            server.connect(f"{self._folder}/.s.PGSQL.5432")
            self._pass_on(client, server)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        has_asked = False
        while True:
            for source in select([client, server], [], [])[0]:
                if not (data := source.recv(65_536)):
                    return
                self.trips += has_asked and source is server
                has_asked = source is client
                (server if source is client else client).sendall(data)
