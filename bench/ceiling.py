"""What the load itself could take, if a server cost nothing: `python -m bench.ceiling`."""

import socket
import time

from . import machine, websocket
from .clients import TURN_S, Clients
from .wires import Wire

MEMBERS = 200
ROOM = "room"
# What a server adds to a message that it passes on, as much as this site does.
ENVELOPE = b" " * 120


class Counted:
    """Clients at one end of socket pairs, and how many messages they still have to read."""

    def __init__(self) -> None:
        self.missing = 0
        self.clients = Clients(Wire(), [], self._count)
        self._pairs = [socket.socketpair() for _ in range(MEMBERS)]
        for _, ours in self._pairs:
            self.clients.adopt(ROOM, ours)

    def read(self, piece: bytes, messages: int) -> float:
        """The seconds that reading took, when each was sent the piece."""
        for theirs, _ in self._pairs:
            theirs.send(piece)
        self.missing = MEMBERS * messages
        began = time.perf_counter()
        while self.missing:
            self.clients.turn(TURN_S)
        return time.perf_counter() - began

    def close(self) -> None:
        self.clients.disconnect()
        for theirs, _ in self._pairs:
            theirs.close()

    def _count(self, numbers: list[bytes], times: int) -> None:
        self.missing -= len(numbers) * times


def ceiling(coalesced: int, seconds: float = 0.5) -> float:
    """Deliveries per second, when so many messages come in each piece."""
    counted = Counted()
    post = counted.clients.wire.post
    piece = b"".join(websocket.unmasked(post(ROOM, number) + ENVELOPE) for number in range(coalesced))
    until, reading_s, deliveries = time.perf_counter() + seconds, 0.0, 0
    while time.perf_counter() < until:
        reading_s += counted.read(piece, coalesced)
        deliveries += MEMBERS * coalesced
    counted.close()
    return deliveries / reading_s


if __name__ == "__main__":
    with machine.on_core(machine.Split().load):
        for coalesced in (1, 20, 100):
            print(f"{coalesced:4} messages in each piece: {ceiling(coalesced):12,.0f} deliveries/s")
