"""The way out of one WebSocket: straight to the kernel, or into the transport's buffer, and never without bound.

What waits for a peer waits here, as the very bytes that wait for others too: a burst into a room costs a slow line of
its readers no copy. The transport is given a piece at a time, since it makes one buffer of all that it has; the kernel
is told to hold little that is not yet sent.

A peer is cut with 4101 when it takes nothing of what waits for STALL_TIMEOUT_S; when more than OUTBOUND_LIMIT_BYTES
wait behind the frame that is on its way and it takes less than PACE_BYTES in PACE_S, or in GRACE_S at first; and at
BEHIND_LIMIT_BYTES in any case: that is what one name may say at once, twenty times a mebibyte, and some more.
While more than OUTBOUND_LIMIT_BYTES wait for it, it is read once in STALL_CHECK_S at most: answers to what it asks are
nobody else's bytes.
"""

import asyncio
import logging
import math
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from twisted.protocols.policies import ProtocolWrapper

logger = logging.getLogger(__name__)

OUTBOUND_LIMIT_BYTES = 768 * 1024
BEHIND_LIMIT_BYTES = 24 * 1024 * 1024
PACE_BYTES, PACE_S = 32 * 1024, 1.0
GRACE_S = 0.25
PIECE_BYTES = 64 * 1024
KERNEL_LIMIT_BYTES = 128 * 1024
STALL_CHECK_S = 1.0
HELD = "way out"
STALL_TIMEOUT_S = 10.0
ABORT_AFTER_S = 2.0
TOO_SLOW = 4101


class Frame(Protocol):
    """A complete WebSocket message, as it goes over the wire."""

    @property
    def wire(self) -> bytes: ...


class Socket(Protocol):
    """A WebSocket of autobahn's and its transport, as far as frames know it."""

    STATE_OPEN: int
    state: int
    transport: Any
    peer: str
    localCloseCode: int | None

    def sendCloseFrame(self, code: int | None = None) -> None: ...
    def hand_over(self, received: Callable[[dict[str, Any]], None]) -> None: ...
    def hold_reading(self, reason: str) -> None: ...
    def release_reading(self, reason: str) -> None: ...


class Frames:
    """What the application gets of its socket: complete frames out, without awaiting, and a hold on what comes in.

    Whatever the protocol itself sends goes through here too, so the order on the wire is the order of the calls.
    """

    __slots__ = (
        "protocol",
        "_transport",
        "_bottom",
        "_send_now",
        "_direct",
        "_limit_bytes",
        "_is_closed",
        "_is_watched",
        "_is_full",
        "_is_holding",
        "_waiting",
        "_waiting_bytes",
        "_queued_bytes",
        "_taken_bytes",
        "_stalled_s",
        "_paced_bytes",
        "_paced_until",
        "emptied",
    )

    def __init__(self, protocol: Socket) -> None:
        self.protocol = protocol
        self._transport = protocol.transport
        self._bottom = _bottom(protocol.transport)
        self._send_now = self._bottom.socket.send if self._bottom is self._transport else _send_nothing
        self._direct: Callable[[bytes], int] | None = None  # `_send_now`, while open and nothing waits
        self._limit_bytes: float = OUTBOUND_LIMIT_BYTES
        self._is_closed = False
        self._is_watched = self._is_full = self._is_holding = False
        self._waiting: deque[bytes | memoryview] | None = None  # what the transport was not given yet
        self._waiting_bytes = self._queued_bytes = self._taken_bytes = self._paced_bytes = 0
        self._stalled_s = self._paced_until = 0.0
        self.emptied: asyncio.Event | None = None  # there while `await send` has to wait
        self._transport.unregisterProducer()
        self._transport.registerProducer(self, True)
        _limit_kernel_buffer(self._bottom.socket)

    def write(self, frame: Frame) -> bool:
        """Send a complete frame; once the connection is closing, drop it. False: the peer is too slow, and is cut."""
        wire, direct = frame.wire, self._direct
        if direct is None:
            return self._write_behind(wire)
        try:
            sent = direct(wire)
        except OSError:  # full or broken: the transport finds out which
            sent = 0
        return sent == len(wire) or self._keep(wire, sent)

    def close(self, code: int) -> None:
        """Send a close frame behind what was written, and drop what is written later."""
        self._is_closed = True
        self._direct = None
        if self.protocol.state == self.protocol.STATE_OPEN:
            self.protocol.sendCloseFrame(code=code)

    def hand_over(self, received: Callable[[dict[str, Any]], None]) -> None:
        """Give what waits and all that comes to `received`, at once, as messages of ASGI. The application may return.

        An accepted connection then costs no task and no queue, and a frame no wait for one. The last message is the
        disconnect. Beyond ASGI, each ping of the peer is a message too: `websocket.ping`.
        """
        self.protocol.hand_over(received)

    @property
    def buffered_bytes(self) -> int:
        """What waits: here, and in the transport's own buffer (Twisted's `dataBuffer`, `offset` and `_tempData…`)."""
        bottom = self._bottom
        return self._waiting_bytes + len(bottom.dataBuffer) - bottom.offset + bottom._tempDataLen

    def pause(self) -> None:
        """Read nothing from this peer until `resume`."""
        self.protocol.hold_reading("application")

    def resume(self) -> None:
        self.protocol.release_reading("application")

    def send(self, data: bytes) -> bool:
        """For the protocol: whatever it sends, in any state."""
        if self._waiting or self._bottom.dataBuffer or self._bottom._tempDataBuffer:
            return self._queue(data)
        if self.protocol.state == self.protocol.STATE_OPEN and not self._is_closed:
            self._direct = self._send_now
        try:
            sent = self._send_now(data)
        except OSError:
            sent = 0
        return sent == len(data) or self._keep(data, sent)

    def let_all_through(self) -> None:
        """For the protocol: its close frame is next, and nothing after it."""
        self._limit_bytes = math.inf

    def shut(self) -> None:
        """For the protocol: it is not open any more."""
        self._direct = None

    def _write_behind(self, wire: bytes) -> bool:
        if self.protocol.state == self.protocol.STATE_OPEN and not self._is_closed:
            return self.send(wire)
        return self.protocol.localCloseCode != TOO_SLOW

    def _keep(self, data: bytes, sent: int) -> bool:
        self._direct = None
        self._limit_bytes = OUTBOUND_LIMIT_BYTES + len(data) - sent
        return self._queue(data[sent:])

    def _queue(self, data: bytes) -> bool:
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        self._queued_bytes += len(data)
        self._feed()
        waiting_bytes = self.buffered_bytes
        if not self._is_watched:
            self._taken_bytes = self._queued_bytes - waiting_bytes
            self._stalled_s = 0.0
            self._note_pace(self._taken_bytes, GRACE_S)
            self._watch()
        if waiting_bytes > OUTBOUND_LIMIT_BYTES and not self._is_holding:
            self._is_holding = True
            self.protocol.hold_reading(HELD)
        if waiting_bytes <= self._limit_bytes or self._keeps_pace(waiting_bytes):
            return True
        self._cut(waiting_bytes)
        return False

    def _feed(self) -> None:
        """Give the transport pieces until it says that its buffer is full."""
        while self._waiting and not self._is_full:
            data = self._waiting.popleft()
            piece, rest = data[:PIECE_BYTES], memoryview(data)[PIECE_BYTES:]
            if rest:
                self._waiting.appendleft(rest)
            self._waiting_bytes -= len(piece)
            self._transport.write(bytes(piece))

    def _keeps_pace(self, waiting_bytes: int) -> bool:
        """Whether the peer has read enough of late; who has just begun to wait has had no time to."""
        taken_bytes = self._queued_bytes - waiting_bytes
        if taken_bytes - self._paced_bytes >= PACE_BYTES:
            self._note_pace(taken_bytes)
        return waiting_bytes <= BEHIND_LIMIT_BYTES and time.monotonic() <= self._paced_until

    def _note_pace(self, taken_bytes: int, lasts_s: float = PACE_S) -> None:
        self._paced_bytes, self._paced_until = taken_bytes, time.monotonic() + lasts_s

    def _read_on(self) -> None:
        if self._is_holding:
            self._is_holding = False
            self.protocol.release_reading(HELD)

    def _watch(self) -> None:
        self._is_watched = True
        asyncio.get_running_loop().call_later(STALL_CHECK_S, self._check_progress)

    def _check_progress(self) -> None:
        waiting_bytes = self.buffered_bytes
        taken_bytes = self._queued_bytes - waiting_bytes
        self._stalled_s = 0.0 if taken_bytes > self._taken_bytes else self._stalled_s + STALL_CHECK_S
        self._taken_bytes = taken_bytes
        self._is_watched = False
        self._read_on()
        if waiting_bytes and self._stalled_s < STALL_TIMEOUT_S:
            self._watch()
        elif waiting_bytes:
            self._cut(waiting_bytes)

    def _cut(self, waiting_bytes: int) -> None:
        """A close frame behind what waits, and soon the end of the connection, read or not."""
        logger.info("%s is too slow: %d bytes wait", self.protocol.peer, waiting_bytes)
        self.protocol.sendCloseFrame(code=TOO_SLOW)
        asyncio.get_running_loop().call_later(ABORT_AFTER_S, self._transport.abortConnection)

    def pauseProducing(self) -> None:
        """From the transport: its buffer is full."""
        self._is_full = True
        if self.emptied is None:
            self.emptied = asyncio.Event()

    def resumeProducing(self) -> None:
        """From the transport: its buffer is empty."""
        self._is_full = False
        self._feed()
        if self.emptied is not None and not self._is_full:
            self._read_on()
            self.emptied.set()
            self.emptied = None

    def stopProducing(self) -> None:
        """The connection is gone, and so is what waited."""
        self.shut()
        self._send_now = _send_nothing
        self._bottom.dataBuffer, self._bottom._tempDataBuffer = b"", []
        self._bottom.offset = self._bottom._tempDataLen = 0
        self._waiting, self._waiting_bytes = None, 0
        self.resumeProducing()


def _bottom(transport: Any) -> Any:
    """The transport that has the socket: below TLS there is another one."""
    while isinstance(transport, ProtocolWrapper):
        transport = transport.transport
    return transport


def _send_nothing(data: bytes) -> int:
    return 0


def _limit_kernel_buffer(connection: socket.socket) -> None:
    if connection.family != socket.AF_UNIX and hasattr(socket, "TCP_NOTSENT_LOWAT"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, KERNEL_LIMIT_BYTES)
