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


def ceiling(coalesced: int, seconds: float = 0.5) -> float:
    """Deliveries per second, when so many messages come in each piece."""
    missing = 0

    def count(numbers: list[bytes], times: int) -> None:
        nonlocal missing
        missing -= len(numbers) * times

    clients = Clients(Wire(), [], count)
    ends = [socket.socketpair() for _ in range(MEMBERS)]
    for _, ours in ends:
        clients.adopt(ROOM, ours)
    piece = b"".join(websocket.unmasked(clients.wire.post(ROOM, number) + ENVELOPE) for number in range(coalesced))
    until, reading_s, deliveries = time.perf_counter() + seconds, 0.0, 0
    while time.perf_counter() < until:
        for theirs, _ in ends:
            theirs.send(piece)
        missing = MEMBERS * coalesced
        deliveries += missing
        began = time.perf_counter()
        while missing:
            clients.turn(TURN_S)
        reading_s += time.perf_counter() - began
    clients.disconnect()
    for theirs, _ in ends:
        theirs.close()
    return deliveries / reading_s


if __name__ == "__main__":
    with machine.on_core(machine.Split().load):
        for coalesced in (1, 20, 100):
            print(f"{coalesced:4} messages in each piece: {ceiling(coalesced):12,.0f} deliveries/s")
