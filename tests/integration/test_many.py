"""Many at once: everybody sees the same, in the same order, whatever process they are in."""

import asyncio
import re
import time

import pytest

from chat import limits
from rig.client import ChatClient
from rig.raw_socket import RawSocket

CLIENTS = 200
WRITERS = 20
MESSAGES = 2_000
AT_ONCE = 25


async def join(url: str, number: int) -> RawSocket:
    socket = await RawSocket.open(f"{url}?name=listener-{number}", "chat.v1")
    await socket.send("join", room="lobby")
    await socket.told("joined")
    return socket


async def hear_all(socket: RawSocket) -> list[str]:
    """The texts in the order in which they came. 400,000 pass here: no more is done than has to be."""
    heard: list[str] = []
    beat_at = time.monotonic()
    while len(heard) < MESSAGES:
        heard += re.findall(r'"type":"message".*?"text":"([^"]*)"', await socket.text())
        if time.monotonic() - beat_at > limits.HEARTBEAT_INTERVAL_S:
            beat_at = time.monotonic()
            await socket.send("heartbeat")
    return heard


async def write(url: str, number: int) -> None:
    """Its share of the messages, some at once."""
    async with ChatClient(f"{url}?name=writer-{number}") as writer:
        for start in range(0, MESSAGES // WRITERS, AT_ONCE):
            names = [f"{number}-{message}" for message in range(start, start + AT_ONCE)]
            acks = await asyncio.gather(*(writer.post(name, nonce=name) for name in names))
            assert {ack["type"] for ack in acks} == {"ack"}


@pytest.mark.parametrize("server", ["chatsite.server", "daphne"])
async def test_everybody_hears_every_message_in_the_same_order(start_site, server):
    site = start_site(2, server, CHAT_POSTS_PER_S="0")
    listeners = await asyncio.gather(*(join(site.ws_urls[n % 2], n) for n in range(CLIENTS)))
    hearing = asyncio.gather(*map(hear_all, listeners))
    await asyncio.gather(*(write(site.ws_urls[n % 2], n) for n in range(WRITERS)))
    first, *others = await hearing
    for socket in listeners:
        socket.vanish()
    assert len(set(first)) == MESSAGES
    assert all(order == first for order in others)
    for number in range(WRITERS):
        own = [text for text in first if text.startswith(f"{number}-")]
        assert own == [f"{number}-{message}" for message in range(MESSAGES // WRITERS)]
