"""The client's half of RFC 6455, as little as the load needs, without I/O."""

import os
import struct

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
END_OF_HEADERS = b"\r\n\r\n"


def upgrade(host: str, path: str, subprotocol: str | None) -> bytes:
    """The request that opens a WebSocket."""
    offer = f"Sec-WebSocket-Protocol: {subprotocol}\r\n" if subprotocol else ""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{offer}\r\n"
    ).encode()


def masked(payload: bytes, opcode: int = TEXT) -> bytes:
    """A whole frame from a client."""
    key = os.urandom(4)
    pad = (key * (len(payload) // 4 + 1))[: len(payload)]
    mixed = int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")
    return _header(0x80 | opcode, len(payload), 0x80) + key + mixed.to_bytes(len(payload), "big")


def unmasked(payload: bytes) -> bytes:
    """A whole text frame from a server."""
    return _header(0x80 | TEXT, len(payload), 0) + payload


def whole_frames(data: bytes) -> tuple[int, list[tuple[int, bytes]]]:
    """Where the last whole frame ends, and the frames that may want an answer: control frames and single characters."""
    end, wanting, size = 0, [], len(data)
    while end + 2 <= size:
        length, start = data[end + 1], end + 2
        if length == 126 and start + 2 <= size:
            length, start = int.from_bytes(data[start : start + 2], "big"), start + 2
        elif length == 127 and start + 8 <= size:
            length, start = int.from_bytes(data[start : start + 8], "big"), start + 8
        elif length >= 126:
            break
        if start + length > size:
            break
        opcode = data[end] & 0x0F
        end = start + length
        if opcode >= CLOSE or length == 1:
            wanting.append((opcode, data[start:end]))
    return end, wanting


def _header(first: int, length: int, mask_bit: int) -> bytes:
    if length < 126:
        return bytes((first, mask_bit | length))
    if length < 65_536:
        return struct.pack("!BBH", first, mask_bit | 126, length)
    return struct.pack("!BBQ", first, mask_bit | 127, length)
