"""Every hook against the Daphne, autobahn, and Twisted that are installed, and what is done when one has changed."""

import asyncio
import gc
import logging
import socket
import weakref
from types import SimpleNamespace

import pytest
from daphne.http_protocol import HTTPFactory
from daphne.server import Server, reactor
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from hypothesis import given, strategies
from twisted.internet import abstract
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web import http

from chatsite.server import frames, rehearsal, server, websocket
from chatsite.server.cli import CommandLine
from chatsite.server.hooks import changed_hooks, is_fit
from chatsite.server.http_channel import PROGRESS_BYTES, PatientChannel
from chatsite.server.rehearsal import rehearse
from chatsite.server.server import ChatServer
from chatsite.server.websocket import ChatSocket, with_options_of
from rig.waiting import turns

CLASSES = [(ChatServer, Server), (ChatSocket, WebSocketProtocol), (PatientChannel, http.HTTPChannel)]
HOOKS = [(base, name) for ours, base in CLASSES for name, method in vars(ours).items() if hasattr(method, "is_hook")]


def test_the_hooks_fit():
    assert [changed_hooks(ours) for ours, _ in CLASSES] == [[], [], []]
    rehearse(ChatSocket)


@pytest.mark.parametrize(("base", "name"), HOOKS, ids=lambda part: getattr(part, "__name__", part))
def test_a_hook_that_takes_something_else_is_noticed(monkeypatch, base, name):
    monkeypatch.setattr(base, name, lambda self, something_else: None, raising=False)
    (ours,) = [ours for ours, its_base in CLASSES if its_base is base]
    assert changed_hooks(ours) == [f"{base.__name__}.{name}"]


@pytest.mark.parametrize("name", ["check_timeouts", "serverSend", "handle_reply"])
def test_a_part_that_is_gone_is_noticed(monkeypatch, caplog, name):
    monkeypatch.delattr(WebSocketProtocol, name)
    assert not is_fit(ChatSocket, rehearse)
    assert len(caplog.messages) == 1
    assert name in caplog.text


def test_a_transport_that_keeps_what_waits_elsewhere_is_noticed(monkeypatch, caplog):
    monkeypatch.setattr(abstract.FileDescriptor, "write", lambda self, data: None)
    assert not is_fit(ChatSocket, rehearse)
    assert "0 bytes wait instead of 7" in caplog.text


# Out


class Opened:
    """A socket after its handshake, between two ends of a pair instead of a network."""

    def __init__(self):
        ours, self.peer = socket.socketpair()
        self.peer.setblocking(False)
        factory = WebSocketFactory(rehearsal._RehearsalServer())
        factory.setProtocolOptions(failByDrop=False, autoPingTimeout=20)
        factory.protocol = with_options_of(factory)
        with ours:
            self.transport = reactor.adoptStreamConnection(ours.fileno(), socket.AF_UNIX, factory)
        self.protocol = self.transport.protocol
        self.frames = self.protocol.frames
        self.protocol._raw_query_string = b""
        self.protocol.dataReceived(rehearsal.UPGRADE)
        self.protocol.handle_reply({"type": "websocket.accept"})
        self.take()

    def take(self):
        """What the peer can read now."""
        try:
            return self.peer.recv(2**24)
        except BlockingIOError:
            return b""

    def take_all(self):
        """What the peer can read until nothing waits any more."""
        taken = self.take()
        while self.frames.buffered_bytes:
            self.transport.doWrite()
            taken += self.take()
        return taken

    def write(self, wire):
        return self.frames.write(SimpleNamespace(wire=wire))

    def lose(self):
        self.transport.connectionLost(Failure(ConnectionLost()))

    def received(self):
        queue = self.protocol.application_queue
        return [queue.get_nowait() for _ in range(queue.qsize())]


@pytest.fixture
async def opened():
    opened = Opened()
    yield opened
    opened.lose()
    opened.peer.close()


def test_little_is_kept_of_a_connection_that_was_handed_over(opened):
    opened.frames.hand_over(lambda message: None)
    assert len(vars(opened.protocol)) < 30
    assert not vars(opened.protocol).keys() & websocket.OF_THE_HANDSHAKE - {"request"}


async def test_a_connection_that_ended_meanwhile_hands_over_its_end_alone(opened):
    received = []

    def crash(message):
        received.append(message)
        if message.get("text") == "hello":
            raise RuntimeError("crashed on purpose")

    opened.protocol.dataReceived(rehearsal.HELLO_MASKED * 2)
    opened.frames.hand_over(crash)
    opened.protocol.dataReceived(rehearsal.HELLO_MASKED + rehearsal.CLOSE_MASKED)
    assert [message["type"] for message in received] == ["websocket.connect", "websocket.receive"]
    assert opened.take() == b"\x88\x02\x03\xf3"
    opened.lose()
    assert [message["type"] for message in received[2:]] == ["websocket.disconnect"]


async def test_reading_is_not_held_once_the_connection_closes(opened):
    opened.frames.close(4200)
    opened.frames.pause()
    opened.protocol.dataReceived(rehearsal.CLOSE_MASKED)
    assert opened.protocol.wasClean


async def test_a_close_frame_that_crosses_the_bound_is_the_only_one(opened):
    assert opened.write(LONG)
    assert opened.write(b"x" * (int(opened.frames._limit_bytes) - opened.frames.buffered_bytes))
    opened.frames.close(4200)
    assert opened.take_all().endswith(b"x\x88\x02\x10\x68")


def test_a_request_that_became_a_websocket_is_garbage_for_nobody_to_collect():
    server = rehearsal._RehearsalServer()
    server.ws_factory, server.client_addr = WebSocketFactory(server), None
    server.ws_factory.protocol = ChatSocket
    factory = HTTPFactory(server)
    factory.protocol = PatientChannel
    ours, theirs = socket.socketpair()
    with ours, theirs:
        transport = reactor.adoptStreamConnection(ours.fileno(), socket.AF_UNIX, factory)
        channel = weakref.ref(transport.protocol)
        gc.disable()
        transport.protocol.dataReceived(rehearsal.UPGRADE)
        gc.enable()
        assert isinstance(transport.protocol, ChatSocket)
        assert channel() is None
        transport.connectionLost(Failure(ConnectionLost()))


LONG = b"x" * 1_000_000


async def test_a_frame_goes_straight_to_the_socket(opened):
    assert opened.write(b"frame")
    assert opened.take() == b"frame"


async def test_what_does_not_fit_waits_and_everything_later_waits_behind_it(opened):
    assert opened.write(LONG)
    opened.protocol.sendPing(b"ping")
    assert opened.write(b"frame")
    opened.protocol.serverSend("text")
    assert opened.frames.buffered_bytes > 0
    assert opened.take_all() == LONG + b"\x89\x04ping" + b"frame" + b"\x81\x04text"
    assert opened.write(b"frame")
    assert opened.take() == b"frame"


@pytest.fixture
def pass_time(monkeypatch):
    """Time that passes for frames when told."""
    now_s = 1000.0

    def pass_time(seconds):
        nonlocal now_s
        now_s += seconds

    monkeypatch.setattr(frames, "time", SimpleNamespace(monotonic=lambda: now_s))
    return pass_time


async def test_who_takes_too_little_is_refused_more_than_the_limit_behind_a_frame(opened, caplog, pass_time):
    caplog.set_level(logging.INFO)
    assert opened.write(LONG)
    assert opened.write(b"x" * frames.OUTBOUND_LIMIT_BYTES)
    pass_time(frames.GRACE_S + 0.01)
    assert not opened.write(b"x")
    assert opened.protocol.localCloseCode == 4101
    assert not opened.write(b"x")
    assert opened.take_all().endswith(b"x\x88\x02\x10\x05")
    assert len(caplog.messages) == 1


async def test_who_has_just_been_told_much_has_time_to_begin_to_read(opened):
    frame = b"x" * 1024 * 1024
    for _ in range(20):
        assert opened.write(frame)
    assert opened.take_all() == frame * 20


async def test_who_reads_on_may_be_far_behind(opened, pass_time):
    for _ in range(20):
        assert opened.write(LONG)
        assert opened.write(b"x" * frames.PIECE_BYTES)
        waiting_bytes = opened.frames.buffered_bytes
        while waiting_bytes - opened.frames.buffered_bytes < frames.PACE_BYTES:
            opened.take()
            opened.transport.doWrite()
        pass_time(frames.PACE_S)
    assert opened.frames.buffered_bytes > 10 * frames.OUTBOUND_LIMIT_BYTES


async def test_who_has_much_to_read_is_read_once_in_a_while(opened):
    """Answers to who only asks would pile up, and are nobody else's bytes."""
    opened.write(LONG)
    opened.write(LONG)
    assert opened.protocol.holds == {frames.HELD}
    opened.frames._check_progress()
    assert not opened.protocol.holds
    opened.write(b"answer")
    assert opened.protocol.holds == {frames.HELD}
    opened.take_all()
    assert not opened.protocol.holds


async def test_nobody_is_more_than_the_last_limit_behind(opened):
    while opened.write(LONG):
        assert opened.frames.buffered_bytes <= frames.BEHIND_LIMIT_BYTES
    assert opened.protocol.localCloseCode == 4101


async def test_what_waits_for_many_is_not_copied_for_each(opened):
    for _ in range(5):
        assert opened.write(LONG)
    held_bytes = len(opened.transport.dataBuffer) + opened.transport._tempDataLen
    assert held_bytes <= 2 * frames.PIECE_BYTES
    assert opened.frames._waiting[-1] is LONG


async def test_a_peer_that_takes_nothing_is_cut(opened):
    opened.write(LONG)
    for _ in range(9):
        opened.frames._check_progress()
    assert opened.protocol.state == ChatSocket.STATE_OPEN
    opened.frames._check_progress()
    assert opened.protocol.localCloseCode == 4101


async def test_a_peer_that_takes_a_little_is_not_cut(opened):
    opened.write(LONG)
    for _ in range(9):
        opened.frames._check_progress()
    opened.take()
    opened.transport.doWrite()
    for _ in range(10):
        opened.frames._check_progress()
    assert opened.protocol.state == ChatSocket.STATE_OPEN


async def test_what_waits_is_forgotten_with_the_connection(opened):
    opened.write(LONG)
    waiting = asyncio.create_task(opened.frames.emptied.wait())
    opened.lose()
    assert await waiting
    assert opened.write(b"frame")
    assert opened.frames.buffered_bytes == 0


async def test_nothing_is_sent_after_the_close_frame(opened):
    opened.protocol.sendCloseFrame(code=4200)
    opened.protocol.serverSend("text")
    assert opened.write(b"frame")
    assert opened.take() == b"\x88\x02\x10\x68"


async def test_a_peer_that_closes_is_not_too_slow(opened):
    opened.frames.hand_over(lambda message: None)
    opened.protocol.dataReceived(rehearsal.CLOSE_MASKED)
    opened.take()
    assert opened.write(b"frame")
    assert opened.take() == b""


async def test_the_application_learns_the_code_that_the_server_closed_with(opened):
    opened.protocol.sendCloseFrame(code=4101)
    opened.lose()
    assert opened.received()[-1] == {"type": "websocket.disconnect", "code": 4101}


async def test_the_application_learns_of_a_close_without_code(opened):
    opened.protocol.dataReceived(b"\x88\x80\x00\x00\x00\x00")
    opened.lose()
    assert opened.received()[-1] == {"type": "websocket.disconnect", "code": 1005}


# In


async def test_reading_is_held_while_many_messages_are_unread(opened):
    opened.received()
    opened.protocol.dataReceived(rehearsal.HELLO_MASKED * 1_000)
    unread = len(opened.received())
    assert unread == websocket.INBOUND_LIMIT_MESSAGES + 1
    opened.protocol.release_reading("application queue")
    await turns()
    assert len(opened.received()) == unread


async def test_messages_that_come_after_the_close_frame_are_dropped(opened):
    opened.received()
    opened.protocol.sendCloseFrame(code=4200)
    opened.protocol.dataReceived(rehearsal.HELLO_MASKED)
    assert opened.received() == []


async def test_fragments_are_kept_as_bytes_and_not_as_objects(opened):
    opened.received()
    opened.protocol.dataReceived(b"\x01\x80\x00\x00\x00\x00" + b"\x00\x80\x00\x00\x00\x00" * 10_000)
    assert opened.protocol.message_data == bytearray()
    opened.protocol.dataReceived(b"\x80\x81\x00\x00\x00\x00x")
    assert opened.received() == [{"type": "websocket.receive", "text": "x"}]


# Signs of life


async def test_an_idle_peer_is_pinged_and_not_again_before_it_had_time_to_answer(opened):
    assert is_pinged(opened)
    assert not is_pinged(opened)


async def test_a_peer_that_is_not_read_is_not_pinged(opened):
    opened.frames.pause()
    assert not is_pinged(opened)


async def test_a_peer_in_the_middle_of_a_message_is_not_pinged(opened):
    opened.protocol.dataReceived(rehearsal.HELLO_MASKED[:-1])
    assert not is_pinged(opened)


def is_pinged(opened):
    opened.protocol.last_ping = 0
    opened.protocol.check_timeouts()
    return opened.take().startswith(b"\x89")


async def test_a_missing_pong_ends_the_connection_but_not_while_something_is_on_its_way(opened):
    opened.write(LONG)
    opened.protocol.onAutoPingTimeout()
    assert opened.protocol.state == ChatSocket.STATE_OPEN
    opened.take_all()
    opened.protocol.onAutoPingTimeout()
    assert opened.protocol.state == ChatSocket.STATE_CLOSED


# The rest of the server


def test_options_stand_on_the_class_and_not_on_every_connection():
    factory = WebSocketFactory(rehearsal._RehearsalServer())
    factory.setProtocolOptions(maxMessagePayloadSize=123)
    configured = with_options_of(factory)
    assert configured.maxMessagePayloadSize == 123
    assert configured().perMessageCompressionAccept([]) is None
    assert configured.CONFIG_ATTRS == ()
    rehearse(configured)


def test_a_request_buys_time_by_arriving_and_not_by_the_byte():
    assert seconds_until_cut(pieces=[b"GET / HTTP/1.1\r\n"] + [b"x"] * 100) == 10
    assert seconds_until_cut(pieces=[POST] + [b"x" * PROGRESS_BYTES] * 20) > 20


POST = b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n"


def seconds_until_cut(pieces):
    """A piece a second."""
    clock, transport = Clock(), StringTransport()
    channel = PatientChannel()
    channel.callLater, channel.timeOut, channel.factory = clock.callLater, 10, None
    channel.makeConnection(transport)
    arrived = 0
    while arrived < len(pieces) and not transport.disconnecting:
        channel.dataReceived(pieces[arrived])
        clock.advance(1)
        arrived += 1
    channel.connectionLost(Failure(ConnectionLost()))
    if content := channel.requests[0].content:
        content.close()
    return arrived


async def test_what_is_to_be_awaited_at_the_end_is_registered_once_and_may_fail(caplog):
    async def fail():
        raise RuntimeError("failed on purpose")

    chat_server = ChatServer(application=None, endpoints=["tcp:0"])
    chat_server.on_drain(fail)
    chat_server.on_drain(fail)
    assert chat_server._drain_callbacks == [fail]
    await server._drained(fail)
    assert "failed while draining" in caplog.text


async def test_nobody_is_let_in_from_the_moment_in_which_it_is_told_to_stop():
    chat_server = ChatServer(application=None, endpoints=["tcp:0"])
    chat_server.connections = {}
    ended = chat_server.kill_all_applications()
    assert chat_server.is_draining
    await ended.asFuture(asyncio.get_running_loop())


def test_a_traceback_for_what_a_client_sent_becomes_a_line():
    record = logging.makeLogRecord({"msg": "Traceback (most recent call last):\n  File\nUnicodeDecodeError: 'ascii'\n"})
    assert server._last_line_only(record)
    assert record.getMessage() == "request failed: UnicodeDecodeError: 'ascii'"


def test_the_defaults_are_those_of_a_chat():
    options = CommandLine().parser.parse_args(["chatsite.asgi:application"])
    assert (options.verbosity, options.access_log) == (0, None)
    assert (options.websocket_connect_timeout, options.websocket_timeout) == (20, -1)
    assert options.ping_timeout < options.ping_interval


# A message that comes alone and whole


def masked_frame(text, first=0x81, mask=b"\x12\x34\x56\x78"):
    payload = text.encode() if isinstance(text, str) else text
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2)
    return bytes([first]) + size + mask + bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))


@given(strategies.text(max_size=400), strategies.binary(min_size=4, max_size=4))
def test_a_whole_text_is_unmasked(text, mask):
    assert websocket.whole_text(masked_frame(text, mask=mask)) == text.encode()


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 128, 65_535])
def test_a_whole_text_may_be_short_and_long(length):
    assert websocket.whole_text(masked_frame("x" * length)) == b"x" * length


@given(strategies.text(max_size=400), strategies.data())
def test_a_piece_of_a_text_or_more_than_one_is_not_whole(text, data):
    frame = masked_frame(text)
    assert websocket.whole_text(frame[: data.draw(strategies.integers(0, len(frame) - 1))]) is None
    assert websocket.whole_text(frame + data.draw(strategies.binary(min_size=1, max_size=10))) is None


@pytest.mark.parametrize(
    "data",
    [
        masked_frame("binary", first=0x82),
        masked_frame("not the last piece", first=0x01),
        masked_frame("a reserved bit", first=0xC1),
        masked_frame("a ping", first=0x89),
        masked_frame(b"not UTF-8: \xff"),
        masked_frame("\ud800".encode("utf-8", "surrogatepass")),
        b"\x81\x05hello",
        b"\x81\xfe\x00\x05\x00\x00\x00\x00hello",
        b"\x81\xff" + (5).to_bytes(8) + b"\x00\x00\x00\x00hello",
    ],
)
def test_anything_else_is_left_to_autobahn(data):
    assert websocket.whole_text(data) is None


async def test_a_whole_text_waits_behind_what_came_before(opened):
    opened.received()
    first, second = masked_frame("first"), masked_frame("second")
    for data in (first[:3], first[3:], second, second + first[:1], first[1:]):
        opened.protocol.dataReceived(data)
    assert [message["text"] for message in opened.received()] == ["first", "second", "second", "first"]


# Daphne's rounds


class Connected:
    """A connection as a round finds it."""

    def __init__(self, *checks):
        self.checks = list(checks)
        self.transport = SimpleNamespace(abortConnection=lambda: self.checks.append("aborted"))

    def check_timeouts(self):
        self.checks.append("checked")
        if self.checks[0] == "breaks":
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "on purpose")


@pytest.fixture
def rounds(monkeypatch):
    """A server whose rounds are ordered, and not waited for."""
    clock = Clock()
    monkeypatch.setattr(server.reactor, "callLater", clock.callLater)
    ours = ChatServer.__new__(ChatServer)
    ours._parent, ours.is_draining, ours._ended = None, False, set()
    monkeypatch.setattr(ChatServer, "_quiet", lambda self: dict(self.connections))
    return ours, clock


def test_a_connection_that_breaks_a_round_is_dropped_and_the_round_goes_on(rounds, caplog):
    ours, clock = rounds
    first, broken, last = Connected("sound"), Connected("breaks"), Connected("sound")
    everybody = {first: {}, broken: {}, last: {}}
    ours.connections = dict(everybody)
    ours.timeout_checker()
    assert list(ours.connections) == [first, last]
    assert broken.checks[-1] == "aborted"
    assert "checked" in last.checks
    assert len([record for record in caplog.records if record.exc_info]) == 1
    assert [call.func for call in clock.getDelayedCalls()].count(ours.timeout_checker) == 1


@pytest.mark.parametrize("name", ["timeout_checker", "application_checker"])
def test_a_round_comes_again_whatever_went_wrong(rounds, monkeypatch, name):
    """Without the next one every request from then on would be kept for ever."""
    ours, clock = rounds
    ours.connections = {}
    monkeypatch.setattr(ChatServer, "_check", lambda self, check, some: 1 / 0)
    for times in range(1, 4):
        with pytest.raises(ZeroDivisionError):
            getattr(ours, name)()
        assert len(clock.getDelayedCalls()) == times
