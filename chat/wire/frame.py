"""One WebSocket message, built once for all who get it."""

from __future__ import annotations

import struct


class Frame:
    """One WebSocket message. `wire` is the unmasked RFC 6455 frame, built once for all who get it."""

    __slots__ = ("binary", "payload", "wire")

    def __init__(self, payload: bytes, binary: bool = False):
        self.payload = payload
        self.binary = binary
        self.wire = _header(len(payload), binary) + payload


def _header(length: int, binary: bool) -> bytes:
    first = 0x82 if binary else 0x81
    if length < 126:
        return bytes((first, length))
    if length < 65_536:
        return struct.pack("!BBH", first, 126, length)
    return struct.pack("!BBQ", first, 127, length)
