"""The servers that are measured, each started on a core of its own and with a Redis of its own."""

import os
import sys
from pathlib import Path
from typing import TypeVar

from rig.programs import Program, Valkey, free_port, listens
from rig.site import PROJECT

from . import machine
from .load import Load
from .wires import SocketIOWire, TutorialWire, Wire

PEERS = PROJECT / "bench" / "peers"
CACHE = PROJECT / "var" / "bench"
AnyLoad = TypeVar("AnyLoad", bound=Load)
NODE_ENV = {"NODE_PATH": str(CACHE / "node_modules"), "NODE_ENV": "production"}
BACKLOG = 1024


class Listener(Program):
    """A server program on a port."""

    def __init__(self, command: list[str], port: int, log: Path, env: dict[str, str]):
        self.port = port
        try:
            super().__init__(command, log, env)
        except BaseException:  # ended while it was starting: it may not start behind our back
            if hasattr(self, "process"):
                self.kill()
            raise

    def is_ready(self) -> bool:
        return listens(self.port)


class Server:
    """One server as it runs now, of one process or several. `sockets` is a folder with a short path."""

    def __init__(self, folder: Path, sockets: Path, split: machine.Split):
        self.folder = folder
        self.split = split
        self.env = {**os.environ}
        self.listeners: list[Listener] = []
        self._sockets = sockets
        self._loads: list[Load] = []
        self._valkey: Valkey | None = None

    def start_valkey(self) -> None:
        """Beside the load."""
        self._valkey = Valkey(self._sockets)
        self.env["REDIS_URL"] = self._valkey.url

    def listen(self, command: list[str], port: int, env: dict[str, str] | None = None) -> None:
        number = len(self.listeners)
        with machine.on_core(self.split.server(number)):
            log = self.folder / f"server-{number}.log"
            self.listeners.append(Listener(command, port, log, {**self.env, **(env or {})}))

    def load(self, rooms: list[str], clients: int) -> Load:
        """Up to so many clients for these rooms, none connected yet."""
        return self.take(Load(self.wire(rooms, clients), self.addresses, self.pids, self.split))

    def take(self, load: AnyLoad) -> AnyLoad:
        """A load that ends with the server."""
        self._loads.append(load)
        return load

    @property
    def addresses(self) -> list[tuple[str, int]]:
        return [("127.0.0.1", listener.port) for listener in self.listeners]

    def wire(self, rooms: list[str], clients: int) -> Wire:
        raise NotImplementedError

    @property
    def pids(self) -> list[int]:
        return [listener.pid for listener in self.listeners]

    @property
    def memory_bytes(self) -> int:
        return sum(machine.memory_bytes(pid) for pid in self.pids)

    @property
    def cpu_s(self) -> float:
        return sum(machine.cpu_s(pid) for pid in self.pids)

    @property
    def logs(self) -> str:
        return "".join(listener.log.read_text(errors="replace") for listener in self.listeners)

    def stop(self) -> None:
        for load in self._loads:
            load.disconnect()
        for program in [*self.listeners, *([self._valkey] if self._valkey else [])]:
            if program.is_running:
                program.kill()


class TutorialServer(Server):
    """The chat of Channels' tutorial, on stock Daphne."""

    def start(self, layer: str) -> None:
        self.start_valkey()
        port = free_port()
        command = [sys.executable, "-m", "daphne", "-v", "0", "--endpoint", endpoint(port)]
        self.listen([*command, "bench.peers.tutorial:application"], port, {"LAYER": layer})

    def wire(self, rooms: list[str], clients: int) -> TutorialWire:
        return TutorialWire()


class SocketIOServer(Server):
    """Socket.IO with one of its Redis adapters. Stores nothing."""

    def start(self, adapter: str) -> None:
        self.start_valkey()
        port = free_port()
        redis_socket = self.env["REDIS_URL"].removeprefix("unix://")
        self.listen(["node", str(PEERS / "socketio.js"), str(port), adapter, redis_socket], port, NODE_ENV)

    def wire(self, rooms: list[str], clients: int) -> SocketIOWire:
        return SocketIOWire()


class WsServer(Server):
    """Plain `ws`. No Redis, stores nothing."""

    def start(self) -> None:
        port = free_port()
        self.listen(["node", str(PEERS / "ws.js"), str(port)], port, NODE_ENV)

    def wire(self, rooms: list[str], clients: int) -> Wire:
        return Wire()


def endpoint(port: int) -> str:
    """In the words of Daphne."""
    return f"tcp:port={port}:interface=127.0.0.1:backlog={BACKLOG}"
