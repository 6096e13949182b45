"""Thousands of WebSockets on one thread: they come, read, answer what has to be answered, and go.

Sockets of a room mostly receive the same bytes, so a piece that equals the one before it is counted without being
looked at. That keeps the load ahead of every server here; `ceiling.py` says how far ahead.
"""

import itertools
import select
import socket
import struct
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence

from . import websocket
from .websocket import CLOSE, END_OF_HEADERS, PING, PONG, TEXT
from .wires import Step, Wire, numbers_in

PIECE_BYTES = 64 * 1024
CONNECTS_AT_ONCE = 100
PATIENCE_S = 120.0
TURN_S = 0.1
HEARTBEAT_ROUNDS = 100
RESET_ON_CLOSE = struct.pack("ii", 1, 0)

Address = tuple[str, int]


class Broken(Exception):
    """The server did not do its part; this row has no figures."""


class Client:
    """One WebSocket: what it still waits for before it is ready, and the piece of a frame that came so far."""

    __slots__ = ("room", "socket", "receive", "hello", "is_open", "steps", "seen", "rest")

    def __init__(self, room: str, connection: socket.socket, hello: bytes, steps: Iterable[Step]):
        self.room = room
        self.socket = connection
        self.receive = connection.recv
        self.hello = hello
        self.is_open = not hello
        self.steps = deque(steps)
        self.seen = b""
        self.rest = b""


class Clients:
    """Clients of one server, which may have several addresses; they are dealt out evenly.

    `count(numbers, times)` is told which messages were seen, and by how many sockets.
    """

    def __init__(self, wire: Wire, addresses: Sequence[Address], count: Callable[[list[bytes], int], None]):
        self.wire = wire
        self.rooms: dict[str, list[Client]] = defaultdict(list)
        self._addresses = itertools.cycle(addresses)
        self._count = count
        self._epoll = select.epoll()
        self._by_fd: dict[int, Client] = {}
        self._arriving = 0
        self._beat = websocket.masked(wire.heartbeat) if wire.heartbeat else None
        self._beats_at = time.perf_counter()
        self._beating: list[Client] = []

    # Coming and going

    def connect(self, rooms: Sequence[str], at_once: int) -> None:
        """One client into each of the rooms, so many on their way at the same time."""
        began = time.perf_counter()
        waiting = deque(rooms)
        while waiting or self._arriving:
            while waiting and self._arriving < at_once:
                self._dial(waiting.popleft())
            self.turn(TURN_S)
            if time.perf_counter() - began > PATIENCE_S:
                raise Broken(f"{len(waiting) + self._arriving} of {len(rooms)} clients are not there in time")

    def adopt(self, room: str, connection: socket.socket) -> None:
        """A socket that is connected already."""
        connection.setblocking(False)
        self._by_fd[connection.fileno()] = Client(room, connection, b"", [])
        self._epoll.register(connection, select.EPOLLIN)

    def disconnect(self) -> None:
        """All are gone without a word."""
        for client in self._by_fd.values():
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            client.socket.close()
        self._by_fd.clear()
        self.rooms.clear()
        self._beating = []
        self._arriving = 0

    def _dial(self, room: str) -> None:
        connection = socket.socket()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host, port = next(self._addresses)
        hello = websocket.upgrade(f"{host}:{port}", self.wire.path(room), self.wire.subprotocol)
        connection.connect_ex((host, port))
        self._by_fd[connection.fileno()] = Client(room, connection, hello, self.wire.steps(room))
        self._epoll.register(connection, select.EPOLLOUT)
        self._arriving += 1

    def _answered(self, client: Client) -> None:
        """The connection stands: now the upgrade."""
        client.socket.send(client.hello)
        self._epoll.modify(client.socket, select.EPOLLIN)

    def _arrived(self, client: Client) -> None:
        client.hello = b""
        self.rooms[client.room].append(client)
        self._arriving -= 1

    # Saying something

    def say(self, client: Client, payload: bytes) -> None:
        self._send(client, websocket.masked(payload))

    def ask(self, client: Client, payload: bytes, awaited: bytes) -> float:
        """Send a request and wait until its answer has come; the seconds between."""
        began = time.perf_counter()
        client.seen = b""
        client.steps.append(Step(awaited))
        self.say(client, payload)
        while client.steps:
            self.turn(TURN_S)
            if time.perf_counter() - began > PATIENCE_S:
                raise Broken(f"no answer to {payload[:80]!r}")
        return time.perf_counter() - began

    def _beat_hearts(self) -> None:
        """A hundredth of the clients each time, so that every one of them beats once in its interval.

        What was not done while nobody called is made up for.
        """
        now = time.perf_counter()
        if self._beat is None or now < self._beats_at:
            return
        self._beats_at += self.wire.heartbeat_interval_s / HEARTBEAT_ROUNDS
        self._beating = self._beating or [client for client in self._by_fd.values() if not client.steps]
        share = len(self._by_fd) // HEARTBEAT_ROUNDS + 1
        beating, self._beating = self._beating[:share], self._beating[share:]
        for client in beating:
            self._send(client, self._beat)

    def _send(self, client: Client, frame: bytes) -> None:
        try:
            client.socket.send(frame)
        except OSError as problem:
            raise Broken(f"the server does not read: {problem}") from None

    # One turn: read what is there, count it, answer it

    def turn(self, timeout_s: float) -> None:
        by_fd, last, numbers, times = self._by_fd, None, [], 0
        for fd, _ in self._epoll.poll(timeout_s):
            client = by_fd[fd]
            try:
                piece = client.receive(PIECE_BYTES)
            except BlockingIOError:
                self._answered(client)
                continue
            except OSError as problem:
                raise Broken(f"a connection broke: {problem}") from None
            if piece == last and not client.rest and not client.steps:
                times += 1
                continue
            if times:
                self._count(numbers, times)
            last, numbers = self._read(client, piece)
            times = 0
            if numbers:
                self._count(numbers, 1)
        if times:
            self._count(numbers, times)
        self._beat_hearts()

    def _read(self, client: Client, piece: bytes) -> tuple[bytes | None, list[bytes]]:
        """The numbers in it, and the piece itself if another client's like it can be counted without reading."""
        if not piece:
            raise Broken("the server hung up")
        data = client.rest + piece if client.rest else piece
        if not client.is_open:
            data = self._after_headers(client, data)
        if client.steps:
            self._advance(client, data)
        end, wanting = websocket.whole_frames(data)
        client.rest = data[end:]
        for opcode, payload in wanting:
            self._answer(client, opcode, payload)
        is_plain = data is piece and not client.rest and not wanting
        return piece if is_plain else None, numbers_in(data[:end])

    def _after_headers(self, client: Client, data: bytes) -> bytes:
        head, end, frames = data.partition(END_OF_HEADERS)
        if not end or b" 101 " not in head[:20]:
            raise Broken(f"refused: {head[:60]!r}")
        client.is_open = True
        self._advance(client, end)
        return frames

    def _advance(self, client: Client, data: bytes) -> None:
        client.seen += data
        while client.steps and client.steps[0].awaited in client.seen:
            step = client.steps.popleft()
            client.seen = client.seen.partition(step.awaited)[2]
            if step.answer:
                self.say(client, step.answer)
        if client.hello and not client.steps:
            self._arrived(client)

    def _answer(self, client: Client, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self._send(client, websocket.masked(payload, PONG))
        elif opcode == CLOSE:
            raise Broken(f"the server closed a connection: {payload!r}")
        elif opcode == TEXT and (reply := self.wire.reply(payload)):
            self.say(client, reply)
