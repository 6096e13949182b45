"""A client that does not read: the kernel of the server, and then the server itself, is left with what it is sent."""

import json
import socket
from urllib.parse import urlsplit

RECEIVE_BUFFER_BYTES = 8 * 1024

HELLO = (
    "GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Protocol: chat.v1\r\n\r\n"
)


class Sloth:
    """Joins, and reads nothing from then on. Its own kernel takes next to nothing for it."""

    def __init__(self, url: str, name: str, room: str, **join: object):
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self._socket.connect(("127.0.0.1", urlsplit(url).port))
        self._socket.sendall(HELLO.format(target=f"/ws/?name={name}").encode())
        self._read_until(b'"type":"hello"')
        self.say({"type": "join", "room": room, **join})

    def say(self, verb: dict[str, object]) -> None:
        payload = json.dumps(verb).encode()
        assert len(payload) < 126
        self._socket.sendall(bytes((0x81, 0x80 | len(payload))) + bytes(4) + payload)

    def is_in(self) -> "Sloth":
        self._read_until(b'"type":"joined"')
        return self

    def _read_until(self, words: bytes) -> None:
        seen = b""
        while words not in seen:
            seen += self._socket.recv(1024)

    def __enter__(self) -> "Sloth":
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.close()
