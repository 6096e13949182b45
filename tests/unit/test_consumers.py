"""The socket of one connection, with our server's frames and on another server."""

import asyncio
import json
import logging

import pytest

from accounts.identity import Person
from chat import limits
from chat.live import runtime
from chat.live.arrivals import Arrival
from chat.sockets.consumers import ChatConsumer, EchoConsumer
from chat.wire import verbs
from chat.wire.closes import Close
from chat.wire.dialects import ChatV1
from chat.wire.frame import Frame
from chat.wire.refusals import Refusal
from rig.waiting import all_done
from tests.unit.stage import said

POST = said(verbs.Post(id=1, room="lobby", nonce="n", text="hello"))
HISTORY = said(verbs.History(id=2, room="lobby", before=9))


def scope(**fields):
    headers = [(b"host", b"chat.test"), (b"user-agent", b"a test")]
    person, client = Person(7, "alice"), ["203.0.113.9", 4711]
    return {
        "type": "websocket",
        "headers": headers,
        "client": client,
        "person": person,
        "dialect": ChatV1,
        "arrival": Arrival(),
        **fields,
    }


class Frames:
    """In place of our server's end of a connection."""

    def __init__(self):
        self.sent, self.code, self.receive = [], None, None
        self.is_paused = False

    def hand_over(self, receive):
        self.receive = receive

    def write(self, frame):
        self.sent.append(frame)
        return True

    def close(self, code):
        self.code = code

    def pause(self):
        self.is_paused = True

    def resume(self):
        self.is_paused = False


class OtherServer:
    """An ASGI server: it hands over a message when the application asks for one."""

    def __init__(self):
        self.coming, self.sent = asyncio.Queue(), []

    async def send(self, message):
        self.sent.append(message)

    def says(self, text):
        self.coming.put_nowait({"type": "websocket.receive", "text": text})

    def leaves(self, code=1000):
        self.coming.put_nowait({"type": "websocket.disconnect", "code": code})

    @property
    def events(self):
        return [json.loads(message["text"]) for message in self.sent if message["type"] == "websocket.send"]


@pytest.fixture(autouse=True)
def _in_this_process(process, monkeypatch):
    async def running():
        return process.runtime

    monkeypatch.setattr(runtime, "running", running)


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, logger="chat.connections")
    return lambda: [record.getMessage() for record in caplog.records if record.name == "chat.connections"]


async def on_our_server(consumer=None, **fields):
    frames = Frames()
    consumer = consumer or ChatConsumer()
    await consumer(scope(extensions={"chatsite.frames": frames}, **fields), None, None)
    return consumer, frames


@pytest.fixture
async def other_server():
    server = OtherServer()
    server.serving = asyncio.create_task(ChatConsumer()(scope(), server.coming.get, server.send))
    yield server
    server.serving.cancel()
    await asyncio.gather(server.serving, return_exceptions=True)


def types(frames):
    return [json.loads(line)["type"] for frame in frames.sent for line in frame.payload.split(b"\n")]


# On any server


async def test_a_connection_is_known_to_a_drain_until_it_is_open(process):
    arrival = Arrival()
    with arrival:
        _, frames = await on_our_server(arrival=arrival)
        assert types(frames) == ["hello"]
        assert arrival not in Arrival.under_way


async def test_where_the_rooms_cannot_be_read_the_client_is_told_to_come_back(process, store):
    store.problem = Refusal("unavailable", "away", retry_after=2.0)
    arrival = Arrival()
    _, frames = await on_our_server(arrival=arrival)
    assert types(frames) == ["error", "bye"]
    assert json.loads(frames.sent[-1].payload)["retry_after"] == 2.0
    assert frames.code == Close.OVERLOADED


async def test_a_connection_whose_opening_fails_is_not_left_behind(process, monkeypatch):
    async def fail(*_):
        raise KeyError("a fault of ours")

    monkeypatch.setattr(process.runtime, "own_rooms", fail)
    with pytest.raises(KeyError):
        await on_our_server()
    assert len(process.runtime.connections) == 0


async def test_each_connection_is_two_lines_of_the_log(lines):
    consumer, _ = await on_our_server()
    consumer.received({"type": "websocket.disconnect", "code": 1001})
    connected, closed = lines()
    assert connected == "connect alice 203.0.113.9"
    assert closed.startswith("close alice 203.0.113.9 after ")
    assert closed.endswith(" with 1001")


async def test_a_peer_that_is_gone_without_a_close_frame_is_1006(lines):
    consumer, _ = await on_our_server()
    consumer.received({"type": "websocket.disconnect", "code": None})
    assert lines()[-1].endswith(" with 1006")


async def test_the_log_says_why_we_closed_not_what_the_peer_answered(lines):
    consumer, frames = await on_our_server()
    consumer.hang_up(Close.REPLACED)
    consumer.hang_up(Close.INTERNAL)
    assert frames.code == Close.REPLACED
    consumer.received({"type": "websocket.disconnect", "code": None})
    assert lines()[-1].endswith(" with 4005")


async def test_what_comes_after_we_closed_is_not_read(store):
    consumer, _ = await on_our_server()
    consumer.hang_up(Close.REPLACED)
    consumer.received({"type": "websocket.receive", "text": POST})
    await all_done()
    assert store.head == 0


async def test_a_ping_is_a_sign_of_life(process):
    consumer, _ = await on_our_server()
    consumer.participant.heard_at = 0
    consumer.received({"type": "websocket.ping"})
    assert consumer.participant.heard_at > 0


# With our server's frames


async def test_our_server_is_told_not_to_read_on_from_a_client_that_asks_too_much(store):
    consumer, frames = await on_our_server()
    store.slow_down()
    for _ in range(limits.REQUESTS_IN_FLIGHT + 1):
        consumer.received({"type": "websocket.receive", "text": HISTORY})
    assert frames.is_paused
    store.answer()
    await all_done()
    assert not frames.is_paused


# On another server


async def test_another_server_is_served_until_its_peer_leaves(other_server, store, lines):
    other_server.says(POST)
    other_server.leaves()
    await other_server.serving
    await all_done()
    assert store.head == 1
    assert lines()[-1].endswith(" with 1000")


async def test_another_server_is_asked_for_nothing_more_while_too_much_waits(other_server, store):
    await all_done()
    store.slow_down()
    for _ in range(2 * limits.REQUESTS_IN_FLIGHT):
        other_server.says(HISTORY)
    await all_done()
    assert other_server.coming.qsize() == limits.REQUESTS_IN_FLIGHT
    store.answer()
    await all_done()
    assert other_server.coming.empty()


async def test_a_server_that_cancels_us_leaves_nothing_behind(other_server, process):
    await all_done()
    assert len(process.runtime.connections) == 1
    other_server.serving.cancel()
    await asyncio.gather(other_server.serving, return_exceptions=True)
    assert len(process.runtime.connections) == 0


# The echo


async def test_the_echo_gives_back_text_and_bytes_and_says_what_arrived_of_the_request():
    consumer, frames = await on_our_server(EchoConsumer())
    consumer.received({"type": "websocket.receive", "text": "héllo"})
    consumer.received({"type": "websocket.receive", "text": None, "bytes": b"\x00\xff"})
    hello, text, data = frames.sent
    assert json.loads(hello.payload)["seen"]["user_agent"] == "a test"
    assert (text.payload, text.binary) == ("héllo".encode(), False)
    assert (data.payload, data.binary) == (b"\x00\xff", True)


async def test_an_echo_whose_reader_is_too_slow_is_closed(monkeypatch):
    consumer, frames = await on_our_server(EchoConsumer())
    consumer.deliver = lambda frame: False
    consumer._send(Frame(b"x"))
    assert frames.code == Close.TOO_SLOW
