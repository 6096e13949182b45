"""What goes out on one socket: in order, bounded, and nothing behind the close."""

import asyncio

import pytest

from chat import limits
from chat.sockets import outgoing
from chat.sockets.outgoing import Direct, Queued
from chat.wire.frame import Frame
from rig.waiting import all_done, turns


class Server:
    """ASGI's `send`, of a server whose peer reads when the test says so."""

    def __init__(self):
        self.sent = []
        self.reads = asyncio.Event()
        self.reads.set()

    async def send(self, message):
        await self.reads.wait()
        self.sent.append(message.get("text") or message.get("bytes") or message["code"])


@pytest.fixture
async def server():
    return Server()


@pytest.fixture
async def queued(server):
    queued = Queued(server.send)
    yield queued
    queued.abandon()


def frames(*texts):
    return [Frame(text.encode()) for text in texts]


async def test_frames_go_out_in_order_and_the_close_behind_them(queued, server):
    for frame in [*frames("one", "two"), Frame(b"\xff", binary=True)]:
        assert queued.deliver(frame)
    queued.close(4005)
    queued.deliver(frames("too late")[0])
    queued.close(4000)
    await all_done()
    assert server.sent == ["one", "two", b"\xff", 4005]


async def test_a_reader_who_is_too_slow_is_told_of_and_takes_no_more_memory(queued, server):
    server.reads.clear()
    frame = Frame(b"x" * 1024)
    taken = 0
    while queued.deliver(frame):
        taken += 1
        await turns()
    assert limits.OUTGOING_LIMIT_BYTES <= taken * 1024 <= limits.OUTGOING_LIMIT_BYTES + 3 * 1024


async def test_a_reader_who_reads_again_is_served_again(queued, server):
    server.reads.clear()
    while queued.deliver(Frame(b"x" * 64 * 1024)):
        pass
    server.reads.set()
    await all_done()
    assert queued.deliver(frames("last")[0])
    await all_done()
    assert server.sent[-1] == "last"


async def test_a_close_does_not_wait_for_ever_for_a_reader_who_does_not_read(queued, server, monkeypatch):
    monkeypatch.setattr(outgoing, "FLUSH_PATIENCE_S", 0)
    sent = []

    async def send(message):
        if message["type"] == "websocket.send":
            await asyncio.Event().wait()
        sent.append(message["code"])

    stuck = Queued(send)
    stuck.deliver(frames("never read")[0])
    await all_done()
    stuck.close(4101)
    await all_done()
    assert sent == [4101]
    stuck.abandon()


async def test_nothing_is_sent_to_a_peer_that_is_gone(queued, server):
    server.reads.clear()
    for frame in frames("one", "two"):
        queued.deliver(frame)
    await all_done()
    queued.abandon()
    server.reads.set()
    queued.deliver(frames("three")[0])
    await all_done()
    assert server.sent == []


def test_our_servers_frames_are_closed_once():
    class Frames:
        codes = []

        def write(self, frame):
            return True

        def close(self, code):
            self.codes.append(code)

    direct = Direct(Frames())
    for code in (4005, 4000):
        direct.close(code)
    direct.abandon()
    assert Frames.codes == [4005]
