"""Frames and handshakes as nobody sends them who means well, and two people who must not notice."""

import asyncio
import contextlib
import json
import random
from collections.abc import Coroutine
from typing import Any
from urllib.parse import quote

from rig.raw_socket import NotUpgraded, RawSocket
from rig.staging import Place
from rig.waiting import turns

MIB = 1024 * 1024
A_MOMENT_S = 0.15

VERBS: list[dict[str, Any]] = [
    {"type": "join", "id": 1, "room": "lobby", "after": 0, "epoch": "abcdefgh"},
    {"type": "leave", "id": 1, "room": "lobby"},
    {"type": "history", "id": 1, "room": "lobby", "before": 10, "limit": 20},
    {"type": "history", "id": 1, "room": "lobby", "around": 10, "limit": 20},
    {"type": "post", "id": 1, "room": "lobby", "nonce": "n", "text": "hello"},
    {"type": "edit", "id": 1, "room": "lobby", "seq": 1, "text": "hello", "nonce": "n"},
    {"type": "delete", "id": 1, "room": "lobby", "seq": 1},
    {"type": "react", "id": 1, "room": "lobby", "seq": 1, "emoji": "👍", "on": True},
    {"type": "read", "id": 1, "room": "lobby", "seq": 1},
    {"type": "typing", "id": 1, "room": "lobby"},
    {"type": "heartbeat", "id": 1, "at": {"lobby": 1}, "sent": 1.5},
    {"ModeCode": "message", "msg": "hello"},
    {"ModeCode": "heart_beat", "msg": None},
]
STRANGE: list[Any] = [
    *(None, True, -1, 0, 2**53, 2**53 + 1, 2**64, 10**400, 1.5, float("1e308"), "", " ", "\0", "\ud800", "lobby\0"),
    *("x" * 9_000, "漢" * 9_000, "\u202e", "💬" * 40, "../../etc", "' OR 1=1 --", "%00"),
    *([], [[]], {}, {"a": {"b": []}}),
]
TARGETS = ["/ws/", "/ws/", "/ws/text/", "/ws/echo/", "/", "/ws", "//ws/", "/ws/%00", "/%ff", "*", ""]
QUERIES = [
    *("", "?", "?name=", "?name=%00", "?name=%ff%fe", "?name=a&name=b", "?ticket=", "?ticket=a:b:c", "?room=%00"),
    *("?" + "a=1&" * 50, "?name=x&room=" + "y" * 5_000, "?name=" + quote("ädä\u200b"), "?ticket=%00%ff"),
    *("?name=somebody&room=%00", "?name=somebody&room=nowhere", "?name=a;b=c", "?" + "=" * 100),
]
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
# HOST stands for the right one. What stands there more often than once is right, or comes near it.
USUAL_HEADERS = {
    "Host": ["HOST"] * 3 + ["evil.example", "", "a b", "x" * 3_000, "[::1", "127.0.0.1:99999"],
    "Upgrade": ["websocket", "websocket", "WebSocket", "h2c", ""],
    "Connection": ["Upgrade", "Upgrade", "keep-alive, Upgrade", "close"],
    "Sec-WebSocket-Version": ["13", "13", "13", "8", "999", "x", ""],
    "Sec-WebSocket-Key": [KEY] * 4 + ["", "short", "é" * 24],
}
OTHER_HEADERS = {
    "Origin": ["http://HOST", "http://evil.example", "null", "", "http://[", "javascript:0", "é", "x" * 5_000],
    "Cookie": [
        *('sessionid="\\000abcdefghijk"', "sessionid=" + "a" * 4_000, "sessionid=%00%ff", "sessionid=é"),
        *("=;;;==", 'a="\\'),
    ],
    "Sec-WebSocket-Protocol": ["chat.v1", "chat.v2", ",,,", "chat.v1, ticket.x", "ticket.é", " ", "a" * 3_000],
    "Sec-WebSocket-Extensions": ["permessage-deflate", "x; y=z", ";;;", "é"],
    "X-Forwarded-For": ["'", "é, \x01", "1.2.3.4, " * 200],
    "Content-Length": ["5", "-1", "x"],
    "Transfer-Encoding": ["chunked", "x"],
    "Daphne-Root-Path": ["/x", "é"],
}


async def assert_nobody_minds(place: Place, *troubles: Coroutine[Any, Any, None]) -> None:
    """Two people who talk all the while are not disturbed, and no server writes a traceback."""
    is_over = asyncio.Event()
    watching = asyncio.create_task(witness(place, is_over))
    await asyncio.gather(*troubles)
    is_over.set()
    assert await watching > 0
    assert "Traceback" not in place.site.logs


async def witness(place: Place, is_over: asyncio.Event) -> int:
    """Two ordinary people go on as if nothing happened."""
    async with place.person("ada") as ada, place.person("bob", process=1) as bob:
        number = 0
        while not is_over.is_set():
            await ada.says(f"{number}")
            await bob.sees(f"{number}")
            number += 1
        assert ada.closes == bob.closes == ada.errors == bob.errors == []
        mine = [message for message in ada.timeline.messages.values() if message["author"] == place.name("ada")]
        assert [message["text"] for message in mine] == [f"{n}" for n in range(number)]
        return number


async def pester(place: Place, seed: int, count: int) -> None:
    """So many strange frames, through as many connections as the server's patience makes necessary."""
    dice = random.Random(seed)
    while count > 0:
        dialect = dice.choice(["chat.v1", "chat.v1", "chat.text", ""])
        url = f"{place.url(f'pest{seed}', process=seed % 2)}&room={place.room}"
        with contextlib.suppress(ConnectionError, NotUpgraded, asyncio.IncompleteReadError):
            async with await RawSocket.open(url, *([dialect] if dialect else [])) as socket:
                reading = asyncio.create_task(read_to_the_end(socket))
                while not reading.done() and count > 0:
                    count -= 1
                    await send_something_strange(socket, dice, place.room)
                    await turns()
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)


async def read_to_the_end(socket: RawSocket) -> None:
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, TimeoutError):
        while (await socket.frame()).opcode != 8:
            pass


async def send_something_strange(socket: RawSocket, dice: random.Random, room: str) -> None:
    """A frame as no library sends it, more often than not."""
    payload = strange_payload(dice, room)
    what = dice.random()
    if what < 0.75:
        await socket.send_frame(1, payload)
    elif what < 0.85:
        await socket.send_frame(2, payload)
    elif what < 0.9:
        await socket.send_fragments(dice.choice([1, 2]), *(payload[n::3] for n in range(3)))
    elif what < 0.95:
        flags = {"is_final": dice.random() < 0.5, "is_masked": dice.random() < 0.5, "rsv": dice.randint(0, 7)}
        await socket.send_frame(dice.randint(0, 15), payload[:200], **flags)
    else:
        await socket.send_raw(bytes(dice.randrange(256) for _ in range(dice.randint(1, 60))))


def strange_payload(dice: random.Random, room: str) -> bytes:
    payload = strange_verb(dice, room)
    what = dice.random()
    if what < 0.1:
        return payload[: dice.randint(0, len(payload))]
    if what < 0.2:
        return b"\n".join(strange_verb(dice, room) for _ in range(dice.randint(2, 30)))
    if what < 0.25:
        return bytes(dice.randrange(256) for _ in range(dice.randint(0, 200)))
    if what < 0.3:
        return b"[" * dice.randint(1, 60_000)
    if what < 0.32:
        return b'{"type":"post","room":"lobby","nonce":"n","text":"' + b"y" * dice.choice([65_536, 2 * MIB]) + b'"}'
    return payload


def strange_verb(dice: random.Random, room: str) -> bytes:
    """A verb with one thing wrong, or several."""
    verb = {name: room if value == "lobby" else value for name, value in dice.choice(VERBS).items()}
    for _ in range(dice.randint(1, 3)):
        what = dice.random()
        name = dice.choice([*verb, "type", "new"])
        if what < 0.6:
            verb[name] = dice.choice(STRANGE)
        elif what < 0.8:
            verb.pop(name, None)
        else:
            verb[dice.choice(["id", "room", "after", "limit", "nonce"])] = dice.choice(STRANGE)
    return json.dumps(verb, ensure_ascii=dice.random() < 0.7).encode("utf-8", "surrogatepass")


async def knock(place: Place, seed: int, count: int) -> None:
    """Strange handshakes, one after the other. Half a request has no answer, so nobody waits long for one."""
    dice = random.Random(seed)
    host = place.site.urls[0].removeprefix("http://")
    for _ in range(count):
        reader, writer = await asyncio.open_connection(*host.split(":"))
        writer.write(strange_handshake(dice, host))
        with contextlib.suppress(ConnectionError, TimeoutError):
            for _ in range(2):
                await asyncio.wait_for(reader.read(65_536), A_MOMENT_S)
        writer.transport.abort()


def strange_handshake(dice: random.Random, host: str) -> bytes:
    """An upgrade with something wrong in it."""
    headers = {name: dice.choice(values) for name, values in USUAL_HEADERS.items()}
    for name in dice.sample(list(OTHER_HEADERS), dice.randint(0, 3)):
        headers[name] = dice.choice(OTHER_HEADERS[name])
    lines = [f"{name}: {value.replace('HOST', host)}" for name, value in headers.items() if value]
    request = "\r\n".join([f"GET {dice.choice(TARGETS)}{dice.choice(QUERIES)} HTTP/1.1", *lines, "", ""]).encode()
    return request[: dice.randint(0, len(request))] if dice.random() < 0.1 else request
