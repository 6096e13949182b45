"""A line between a program and its database that takes its time: python -m bench.relay LISTEN TARGET DELAY_S

LISTEN and TARGET are Unix sockets. What comes is passed on DELAY_S later, each way, in its order; nothing is held back
behind something else. In a process of its own: who waits for the line here waits for nobody else.
"""

import select
import socket
import sys
import time
from collections import deque

CHUNK_BYTES = 256 * 1024


class Direction:
    """From one socket to the other, what is on its way, and when each piece of it arrives."""

    def __init__(self, source: socket.socket, target: socket.socket):
        self.source = source
        self.target = target
        self.on_its_way: deque[tuple[float, bytes]] = deque()


class Relay:
    """All lines at once, on one thread: `select` waits to the microsecond, where epoll rounds up to a millisecond."""

    def __init__(self, listen: str, target: str, delay_s: float):
        self._target = target
        self._delay_s = delay_s
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(listen)
        self._door.listen(64)
        self._directions: dict[socket.socket, Direction] = {}

    def run(self) -> None:
        while True:
            due = min((one.on_its_way[0][0] for one in self._directions.values() if one.on_its_way), default=None)
            wait_s = None if due is None else max(0.0, due - time.perf_counter())
            readable, _, _ = select.select([self._door, *self._directions], [], [], wait_s)
            for ready in readable:
                self._open() if ready is self._door else self._take(self._directions[ready])
            now = time.perf_counter()
            for direction in list(self._directions.values()):
                self._deliver(direction, now)

    def _open(self) -> None:
        near, _ = self._door.accept()
        far = socket.socket(socket.AF_UNIX)
        far.connect(self._target)
        self._directions[near], self._directions[far] = Direction(near, far), Direction(far, near)

    def _take(self, direction: Direction) -> None:
        try:
            data = direction.source.recv(CHUNK_BYTES)
        except ConnectionError:
            data = b""
        direction.on_its_way.append((time.perf_counter() + self._delay_s, data))

    def _deliver(self, direction: Direction, now: float) -> None:
        while direction.on_its_way and direction.on_its_way[0][0] <= now:
            _, data = direction.on_its_way.popleft()
            if not data:
                self._close(direction)
                break
            direction.target.sendall(data)

    def _close(self, direction: Direction) -> None:
        for end in (direction.source, direction.target):
            self._directions.pop(end, None)
            end.close()


if __name__ == "__main__":
    Relay(sys.argv[1], sys.argv[2], float(sys.argv[3])).run()
