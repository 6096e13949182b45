"""A small ASGI application, to see what the server does without ours. It prints how each connection ended."""

import asyncio
import json
from types import SimpleNamespace
from urllib.parse import parse_qsl


async def application(scope, receive, send):
    scope["options"] = dict(parse_qsl(scope["query_string"].decode()))
    scope["frames"] = scope["extensions"].get("chatsite.frames")
    await PATHS.get((scope["type"], scope["path"]), not_found)(scope, receive, send)


def say(*words):
    print(*words, flush=True)


async def accept(receive, send):
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})


async def echo(scope, receive, send):
    """Whatever comes, in the ordinary way."""
    await accept(receive, send)
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})
    say("disconnect", message["code"])


async def order(scope, receive, send):
    """Numbers, more than a socket holds: every other one the direct way, unless all are to go the ordinary way."""
    await accept(receive, send)
    padding = "x" * int(scope["options"]["padding"])
    for number in range(int(scope["options"]["count"])):
        text = f"{number} {padding}"
        if number % 2 and scope["options"]["way"] == "both":
            assert scope["frames"].write(SimpleNamespace(wire=frame(text.encode())))
        else:
            await send({"type": "websocket.send", "text": text})
    await send({"type": "websocket.close", "code": 4200})


async def flood(scope, receive, send):
    """As much as is taken: the direct way until it is refused, or the ordinary way until the peer is gone."""
    await accept(receive, send)
    payload = b"x" * int(scope["options"]["size"])
    wire, sent_bytes, most_bytes = frame(payload), 0, 0
    gone = asyncio.create_task(receive())
    while not gone.done():
        if scope["options"]["way"] == "ordinary":
            await send({"type": "websocket.send", "bytes": payload})
        elif not scope["frames"].write(SimpleNamespace(wire=wire)):
            say("refused after", sent_bytes)
            break
        sent_bytes += len(wire)
        most_bytes = max(most_bytes, scope["frames"].buffered_bytes)
        await asyncio.sleep(float(scope["options"].get("pause", 0)))
    say("disconnect", (await gone)["code"], "most", most_bytes, "sent", sent_bytes)


async def late(scope, receive, send):
    """Reads nothing until told by another connection, then counts."""
    await accept(receive, send)
    await LATE.wait()
    count = 0
    while (message := await receive()).get("text") != "last":
        count += 1
    await send({"type": "websocket.send", "text": f"{count} before {message['text']}"})


async def read(scope, receive, send):
    await accept(receive, send)
    LATE.set()


async def pause(scope, receive, send):
    """Holds reading for a while, by the extension."""
    await accept(receive, send)
    scope["frames"].pause()
    message = asyncio.create_task(receive())
    done, _ = await asyncio.wait([message], timeout=0.5)
    scope["frames"].resume()
    text = (await message)["text"]
    await send({"type": "websocket.send", "text": f"{text} {'early' if done else 'late'}"})
    await receive()


async def handed_over(scope, receive, send):
    """Takes what comes at once, from when something waits already; and is done."""
    await accept(receive, send)
    if scope["options"].get("early") != "nothing":
        await EARLY.wait()

    def take(message):
        if message["type"] == "websocket.disconnect":
            say("disconnect", message["code"])
        elif message["type"] == "websocket.ping":
            say("pinged")
        elif message["text"] == "crash":
            raise RuntimeError("crashed on purpose")
        elif message["text"] == "close":
            scope["frames"].close(4200)
        else:
            assert scope["frames"].write(SimpleNamespace(wire=frame(message["text"].encode())))

    scope["frames"].hand_over(take)


async def early(scope, receive, send):
    await accept(receive, send)
    EARLY.set()


async def slow_accept(scope, receive, send):
    await asyncio.sleep(0.5)
    await echo(scope, receive, send)


async def drain(scope, receive, send):
    """Closes itself when the server drains."""

    async def close():
        say("draining")
        await send({"type": "websocket.send", "text": "bye"})
        await send({"type": "websocket.close", "code": 4200})

    await accept(receive, send)
    scope["extensions"]["chatsite.drain"](close)
    say("disconnect", (await receive())["code"])


async def hanging_drain(scope, receive, send):
    """Is not done when the server's patience is."""

    async def hang():
        say("draining")
        await asyncio.Event().wait()

    await accept(receive, send)
    scope["extensions"]["chatsite.drain"](hang)
    await receive()


async def never_accept(scope, receive, send):
    say("connecting")
    assert (await receive())["type"] == "websocket.connect"
    say("disconnect", (await receive())["code"])


async def crash(scope, receive, send):
    await accept(receive, send)
    raise RuntimeError("crashed on purpose")


async def leave(scope, receive, send):
    await accept(receive, send)


async def seen(scope, receive, send):
    keys = ("root_path", "client", "server", "scheme")
    body = json.dumps({key: scope.get(key) for key in keys} | {"extensions": sorted(scope["extensions"])})
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(body)).encode())]}
    )
    await send({"type": "http.response.body", "body": body.encode()})


async def seen_by_socket(scope, receive, send):
    await accept(receive, send)
    seen = {key: scope.get(key) for key in ("root_path", "client")} | {"extensions": sorted(scope["extensions"])}
    await send({"type": "websocket.send", "text": json.dumps(seen)})
    await receive()


async def slow(scope, receive, send):
    say("slow request")
    await asyncio.sleep(1)
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"x" * int(scope["options"]["size"])})


async def not_found(scope, receive, send):
    if scope["type"] == "websocket":
        await send({"type": "websocket.close"})
    else:
        await send({"type": "http.response.start", "status": 404})
        await send({"type": "http.response.body", "body": b""})


def frame(payload):
    length = len(payload)
    if length < 126:
        return bytes((0x81, length)) + payload
    if length < 65536:
        return bytes((0x81, 126)) + length.to_bytes(2, "big") + payload
    return bytes((0x81, 127)) + length.to_bytes(8, "big") + payload


LATE = asyncio.Event()
EARLY = asyncio.Event()
PATHS = {
    ("websocket", "/echo"): echo,
    ("websocket", "/order"): order,
    ("websocket", "/flood"): flood,
    ("websocket", "/late"): late,
    ("websocket", "/read"): read,
    ("websocket", "/pause"): pause,
    ("websocket", "/handed-over"): handed_over,
    ("websocket", "/early"): early,
    ("websocket", "/slow-accept"): slow_accept,
    ("websocket", "/drain"): drain,
    ("websocket", "/hanging-drain"): hanging_drain,
    ("websocket", "/never-accept"): never_accept,
    ("websocket", "/crash"): crash,
    ("websocket", "/leave"): leave,
    ("websocket", "/seen"): seen_by_socket,
    ("http", "/seen"): seen,
    ("http", "/slow"): slow,
}
