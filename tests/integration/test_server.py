"""The server with a small application, on real sockets: chatsite/server.py, websocket.py, and frames.py."""

import asyncio
import contextlib
import itertools
import json
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from websockets.asyncio.client import connect, unix_connect
from websockets.exceptions import ConnectionClosedError

from chatsite.server.cli import MESSAGE_LIMIT_BYTES
from chatsite.server.frames import BEHIND_LIMIT_BYTES, OUTBOUND_LIMIT_BYTES
from rig.programs import free_port
from rig.raw_socket import BINARY, CLOSE, CONTINUATION, GONE, PING, PONG, TEXT, RawSocket, wire
from rig.waiting import wait_until
from tests.integration.tiny_server import (
    APPLICATION,
    PATIENCE_S,
    UPGRADE,
    TinyServer,
    family_of,
    listens,
    make_certificate,
)

pytestmark = pytest.mark.one_database

MEGABYTE = 1024 * 1024

# The clocks of a server in a hurry.
HURRY = """
from chatsite.server import frames, http_channel, server, websocket
frames.STALL_CHECK_S, frames.STALL_TIMEOUT_S, frames.ABORT_AFTER_S = 0.1, 1, 0.5
http_channel.REQUEST_LIMIT_BYTES = 200_000
websocket.MESSAGE_TIMEOUT_S = server.REQUEST_TIMEOUT_S = server.DRAIN_TIMEOUT_S = 1
"""


@contextlib.contextmanager
def running(folder, *options, **given):
    """What the application prints and the log are the server's output; there is no traceback in it."""
    server = TinyServer(folder, *options, **given)
    try:
        yield server
    finally:
        server.stop()
    assert "Traceback" not in server.log.read_text(errors="replace"), server.lines


@pytest.fixture(scope="module")
def lasting_server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def server(lasting_server):
    lasting_server.forget_lines()
    return lasting_server


@pytest.fixture
def start(tmp_path):
    with contextlib.ExitStack() as stack:
        yield lambda *options, **given: stack.enter_context(running(tmp_path, *options, **given))


@pytest.fixture(scope="module")
def lasting_hurried(tmp_path_factory):
    with running(tmp_path_factory.mktemp("hurried"), "--websocket_connect_timeout", "3", before=HURRY) as server:
        yield server


@pytest.fixture
def hurried(lasting_hurried):
    lasting_hurried.forget_lines()
    return lasting_hurried


# What is sent


async def test_messages_of_every_kind_come_back(server):
    async with await server.open("/echo") as socket:
        await socket.send_text("héllo")
        assert await socket.text() == "héllo"
        for length in (1, 125, 126, 65_535, 65_536, MEGABYTE):
            await socket.send_bytes(b"x" * length)
            assert await socket.bytes() == b"x" * length
        await socket.send_fragments(TEXT, b"one ", b"", "mess\u00e4ge".encode()[:5], "mess\u00e4ge".encode()[5:])
        assert await socket.text() == "one mess\u00e4ge"
        await socket.send_frame(PING, b"are you there")
        assert await socket.frame() == (PONG, b"are you there", True)


async def test_frames_of_both_ways_arrive_in_the_order_of_the_calls(server):
    async with await server.open_narrow("/order?way=both&count=3000&padding=2000") as socket:
        for number in range(3000):
            assert (await socket.text()).startswith(f"{number} ")
        assert await socket.close_code() == 4200


async def test_frames_of_a_megabyte_arrive_whole(server):
    async with await server.open_narrow(f"/order?way=ordinary&count=6&padding={MEGABYTE}") as socket:
        assert [len(await socket.text()) for _ in range(6)] == [MEGABYTE + 2] * 6


async def test_a_peer_that_does_not_read_is_refused_at_the_bound_and_cut(server):
    """It has a moment to begin; an application that writes without a pause fills it."""
    async with await server.open("/flood?way=direct&size=1000"):
        said = await server.said("disconnect")
    assert said.startswith("disconnect 4101")
    assert OUTBOUND_LIMIT_BYTES < int(re.search(r"most (\d+)", said)[1]) <= BEHIND_LIMIT_BYTES


async def test_a_peer_that_takes_nothing_is_cut_within_15_seconds(server):
    async with await server.open("/flood?way=ordinary&size=1000"):
        since = time.monotonic()
        said = await server.said("disconnect")
    assert said.startswith("disconnect 4101")
    assert int(re.search(r"most (\d+)", said)[1]) < 128 * 1024
    assert 10 < time.monotonic() - since < 15


async def test_a_peer_that_reads_slowly_is_not_cut(hurried):
    async with await hurried.open_narrow("/order?way=both&count=2000&padding=500") as socket:
        for number in range(2000):
            assert (await socket.text()).startswith(f"{number} ")
            if number % 80 == 0:
                await asyncio.sleep(0.1)
        assert await socket.close_code() == 4200


# What is received


async def test_reading_stops_while_the_application_does_not_read(server):
    process = psutil.Process(server.pid)
    async with await server.open("/late") as socket:
        before_bytes = process.memory_info().rss
        sending = asyncio.create_task(send_many(socket, 8_000))
        assert not (await asyncio.wait([sending], timeout=1.5))[0]
        assert process.memory_info().rss - before_bytes < 4 * MEGABYTE
        async with await server.open("/read"):
            await sending
            assert await socket.text() == "8000 before last"


async def send_many(socket, count):
    for _ in range(count):
        await socket.send_frame(TEXT, b"x" * 2000)
    await socket.send_text("last")


async def test_small_messages_are_bounded_by_their_number(server):
    async with await server.open("/late") as socket, await server.open("/read"):
        frame = b"\x81\x81\x00\x00\x00\x00x"
        await socket.send_raw(frame * 5_000)
        await socket.send_text("last")
        assert await socket.text() == "5000 before last"


async def test_the_application_can_hold_reading(server):
    async with await server.open("/pause") as socket:
        await socket.send_text("hello")
        assert await socket.text() == "hello late"


async def test_what_is_handed_over_comes_at_once_and_in_order_after_what_waited(server):
    async with await server.open("/handed-over") as socket:
        for number in range(200):
            await socket.send_text(f"early {number}")
        async with await server.open("/early"):
            assert [await socket.text() for _ in range(200)] == [f"early {number}" for number in range(200)]
        await socket.send_fragments(TEXT, b"in ", b"pieces")
        assert await socket.text() == "in pieces"
        for _ in range(20):
            await send_many(socket, 200)
            assert [await socket.text() for _ in range(201)] == ["x" * 2000] * 200 + ["last"]
        await socket.send_frame(PING, b"still there")
        assert await socket.frame() == (PONG, b"still there", True)
        await server.said("pinged")
        await socket.send_frame(CLOSE, struct.pack("!H", 4001))
    await server.said("disconnect 4001")


async def test_what_is_handed_over_can_be_closed(server):
    async with await server.open("/handed-over?early=nothing") as socket:
        await socket.send_text("close")
        await socket.send_text("nobody hears this")
        assert await socket.close_code() == 4200
    await server.said("disconnect 4200")


async def test_what_is_handed_over_ends_with_the_server(tmp_path):
    with running(tmp_path) as server:
        async with await server.open("/handed-over?early=nothing") as socket:
            await socket.send_text("hello")
            assert await socket.text() == "hello"
            server.ask_to_stop()
            assert await socket.close_code() == 1001
        await server.said("disconnect 1001")


@pytest.mark.parametrize("parts", [1, 2])
async def test_what_comes_in_the_segment_of_the_handshake_is_read(server, parts):
    """A client may not wait for the answer."""
    early = wire(TEXT, b"early") + wire(TEXT, b"bird")
    asked, rest = UPGRADE % b"/echo" + b"\r\n" + early[: len(early) // parts], early[len(early) // parts :]
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    async with RawSocket(reader, writer) as socket:
        await socket.send_raw(asked)
        await reader.readuntil(b"\r\n\r\n")
        await socket.send_raw(rest)
        assert [await socket.text(), await socket.text()] == ["early", "bird"]


@pytest.mark.parametrize("path", ["/echo", "/handed-over?early=nothing"])
@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999])
async def test_a_peer_that_closes_is_answered_with_its_own_code(server, path, code):
    async with await server.open(path) as socket:
        await socket.send_close(code)
        assert await socket.close_code() == code


async def test_messages_of_nothing_come_back(server):
    async with await server.open("/echo") as socket:
        await socket.send_text("")
        assert await socket.frame() == (TEXT, b"", True)
        await socket.send_bytes(b"")
        assert await socket.frame() == (BINARY, b"", True)


@pytest.mark.parametrize(
    "offer", ["permessage-deflate; client_max_window_bits=99", "permessage-deflate; unknown=1", ";;;"]
)
async def test_an_offer_of_an_extension_is_declined_however_it_is_written(server, offer):
    async with await server.open("/echo", sec_websocket_extensions=offer) as socket:
        await socket.send_text("hello")
        assert await socket.text() == "hello"


async def test_another_version_of_the_protocol_is_told_the_right_one(server):
    answer = await server.tell(UPGRADE.replace(b"13", b"8") % b"/echo" + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 426 Upgrade Required\r\n")
    assert b"\r\nsec-websocket-version: 13\r\n" in answer.lower()


async def test_an_answer_says_when_it_was_given(server):
    answer = await server.tell(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert re.search(rb"\r\nDate: \w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT\r\n", answer)


async def test_what_comes_before_the_handshake_is_answered_is_kept(server):
    async with await raw_connection(server) as socket:
        await socket.send_raw(UPGRADE % b"/slow-accept" + b"\r\n")
        await asyncio.sleep(0.1)
        await socket.send_text("early")
        await socket._reader.readuntil(b"\r\n\r\n")
        assert await socket.text() == "early"


async def raw_connection(server):
    return RawSocket(*await asyncio.open_connection("127.0.0.1", server.port))


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([(BINARY, b"x" * (MESSAGE_LIMIT_BYTES + 1), {})], 1009),
        ([(BINARY, b"x" * MESSAGE_LIMIT_BYTES, {"is_final": False}), (CONTINUATION, b"x", {})], 1009),
        ([(TEXT, b"\xff", {})], 1007),
        ([(TEXT, b"x", {"is_masked": False})], 1002),
        ([(TEXT, b"x", {"rsv": 4})], 1002),
        ([(CONTINUATION, b"x", {})], 1002),
        ([(3, b"x", {})], 1002),
        ([(PING, b"x" * 126, {})], 1002),
    ],
)
async def test_what_breaks_the_protocol_is_answered_with_its_code(server, frames, code):
    async with await server.open("/echo") as socket:
        for opcode, payload, options in frames:
            with contextlib.suppress(ConnectionError):
                await socket.send_frame(opcode, payload, **options)
        assert await socket.close_code() == code
    await server.said(f"disconnect {code}")


@pytest.mark.parametrize("fragment", [b"", b"x"])
async def test_a_message_that_never_ends_ends_the_connection(hurried, fragment):
    async with await hurried.open("/echo") as socket:
        await socket.send_frame(TEXT, b"once upon a time", is_final=False)
        trickle = asyncio.create_task(trickle_frames(socket, fragment))
        assert await socket.close_code() == 1008
        await trickle


async def trickle_frames(socket, fragment):
    with contextlib.suppress(ConnectionError):
        while True:
            await socket.send_frame(CONTINUATION, fragment, is_final=False)
            await asyncio.sleep(0.1)


async def test_a_request_that_comes_byte_by_byte_is_cut(hurried):
    reader, writer = await asyncio.open_connection("127.0.0.1", hurried.port)
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(PATIENCE_S):
            for byte in itertools.chain(b"GET /seen HTTP/1.1\r\nHost: x\r\nX-Endless: ", itertools.repeat(ord("x"))):
                writer.write(bytes([byte]))
                await asyncio.sleep(0.05)
                if reader.at_eof():
                    break
    assert await reader.read() == b""
    writer.transport.abort()


async def test_a_request_that_takes_long_but_goes_on_is_served(hurried):
    reader, writer = await asyncio.open_connection("127.0.0.1", hurried.port)
    writer.write(b"POST /seen HTTP/1.1\r\nHost: x\r\nContent-Length: 160000\r\nConnection: close\r\n\r\n")
    for _ in range(8):
        await asyncio.sleep(0.25)
        writer.write(b"x" * 20_000)
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.transport.abort()


async def test_a_request_that_is_too_large_is_refused(hurried):
    answer = await hurried.tell(b"POST /seen HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n" + b"x" * 250_000)
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_a_peer_that_answers_no_ping_is_dropped_and_one_that_does_is_not(start):
    server = start("--ping-interval", "1", "--ping-timeout", "3")
    async with await server.open("/echo") as dead, connect(server.url("/echo")) as alive:
        assert await dead.close_code() == GONE
        await alive.send("still here")
        assert await alive.recv() == "still here"


# The end


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_server_that_is_told_to_stop_drains(start, number):
    server = start()
    async with await server.open("/drain") as drained, await server.open("/echo") as other:
        await drained.send_frame(PING)
        assert (await drained.frame()).opcode == PONG
        server.process.send_signal(number)
        assert await drained.text() == "bye"
        assert await drained.close_code() == 4200
        assert await other.close_code() == 1001
        server.process.wait(PATIENCE_S)
    assert server.process.returncode == 0
    assert sorted(server.lines) == ["disconnect 1001", "disconnect 4200", "draining"]


async def test_a_draining_server_takes_no_connections(start):
    server = start(before=HURRY)
    async with await server.open("/hanging-drain"):
        server.ask_to_stop()
        await server.said("draining")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", server.port)
        server.process.wait(PATIENCE_S)
    assert server.process.returncode == 0
    assert [line for line in server.lines if "was not done in 1 s" in line]


async def test_a_connection_that_was_kept_cannot_become_a_socket_while_draining(start):
    server = start(before=HURRY)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    async with await server.open("/hanging-drain"):
        writer.write(b"GET /seen HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"}")
        server.ask_to_stop()
        await server.said("draining")
        writer.write(UPGRADE % b"/echo" + b"\r\n")
        assert b"503 " in await reader.read()
        writer.transport.abort()


async def test_a_socket_that_waits_for_its_answer_is_refused_at_the_end(start):
    server = start()
    async with await raw_connection(server) as socket:
        await socket.send_raw(UPGRADE % b"/never-accept" + b"\r\n")
        await server.said("connecting")
        server.ask_to_stop()
        assert b"503 " in await socket._reader.read()
        server.process.wait(PATIENCE_S)
    assert server.process.returncode == 0
    assert "disconnect 1006" in server.lines


async def test_requests_under_way_are_answered_to_the_end(start):
    server = start()
    answer = asyncio.create_task(server.get(f"/slow?size={8 * MEGABYTE}"))
    await server.said("slow request")
    server.ask_to_stop()
    assert len(await answer) >= 8 * MEGABYTE
    server.process.wait(PATIENCE_S)
    assert server.process.returncode == 0


async def test_a_peer_that_does_not_answer_the_close_does_not_hold_up_the_end(start):
    server = start()
    async with await server.open("/echo"):
        server.ask_to_stop()
        server.process.wait(5)
    assert server.lines == ["disconnect 1001"]


def test_a_server_ends_with_its_parent_when_asked_to():
    address = ("127.0.0.1", free_port())
    command = [sys.executable, "-m", "chatsite.server", "-b", address[0], "-p", str(address[1]), APPLICATION]
    parent = (
        f"import subprocess; print(subprocess.Popen({command!r}, stdout=subprocess.DEVNULL).pid, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent],
        env={**os.environ, "CHATSITE_PARENT_WATCH": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        server = psutil.Process(int(process.stdout.readline()))
        wait_until(lambda: listens(address))
        process.kill()
    assert not psutil.wait_procs([server], PATIENCE_S)[1]


# What clients should not do

HOSTILE = [
    b"\x16\x03\x01\x02\x00\x01\x00",
    b"\r\n\r\n\r\n",
    b"GET /seen\r\n\r\n",
    b"GET /seen HTTP/9.9\r\n\r\n",
    b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /seen?\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\xff\xfe / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /seen HTTP/1.1\r\nNo colon\r\n\r\n",
    b"GET /seen HTTP/1.1\r\nBad\xffName: 1\r\n\r\n",
    b"GET /seen HTTP/1.1\r\nBad: \x00\x0b\r\n\r\n",
    b"GET /seen HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
    b"GET /seen HTTP/1.1\r\n" + b"X: x\r\n" * 600 + b"\r\n",
    b"GET /seen HTTP/1.1\r\n" + (b"X: " + b"x" * 1000 + b"\r\n") * 60 + b"\r\n",
    b"GET /seen HTTP/1.1\r\n" + b"No colon\r\n" * 60 + b"\r\n",
    b"GET /seen HTTP/1.1\r\nDaphne-Root-Path: \xff\r\nConnection: close\r\n\r\n",
    b"POST /seen HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"POST /seen HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"POST /seen HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"POST /seen HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
    b"POST /seen HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /seen HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\n",
    (UPGRADE % b"/echo").replace(b"GET", b"POST") + b"\r\n",
    (UPGRADE % b"/echo").replace(b"Sec-WebSocket-Key", b"Sec-WebSocket-Kay") + b"\r\n",
    (UPGRADE % b"/echo").replace(b": 13", b": 12") + b"\r\n",
    (UPGRADE % b"/echo").replace(b": 13", b": \xb2") + b"\r\n",
    (UPGRADE % b"/echo").replace(b"Host: x", b"Host: x:port") + b"\r\n",
    (UPGRADE % b"/echo").replace(b"Host: x\r\n", b"") + b"\r\n",
    (UPGRADE % b"/echo").replace(b"Connection: Upgrade", b"Connection: close") + b"\r\n",
    UPGRADE % b"/echo" + b"Sec-WebSocket-Protocol: \xff\r\n\r\n",
    UPGRADE % b"/echo" + b"Sec-WebSocket-Protocol: a, a\r\n\r\n",
    UPGRADE % b"/echo" + b"Origin: http://x:99999\r\n\r\n",
    UPGRADE % b"/echo#fragment" + b"\r\n",
    UPGRADE % b"http://[/echo" + b"\r\n",
    UPGRADE % b"/never-accept" + b"\r\n" + UPGRADE % b"/echo" + b"\r\n",
]


@pytest.mark.parametrize("request_bytes", HOSTILE, ids=range(len(HOSTILE)))
async def test_hostile_requests_leave_one_line_at_most(hurried, request_bytes):
    answer = await hurried.tell(request_bytes)
    assert re.match(rb"HTTP/1.[01] (4\d\d|500|505|101) |$", answer), answer[:100]
    assert len(re.findall(rb"(?m)^HTTP/1", answer)) <= 1
    async with await hurried.open("/echo") as socket:
        await socket.send_text("served")
        assert await socket.text() == "served"
    assert len([line for line in hurried.lines if "connect" not in line]) <= 1


REFUSED = [
    (b"GET /seen HTTP/1.1\r\nNo colon\r\n\r\n", 400, "The request is malformed."),
    (b"GET /seen\r\n\r\n", 400, "The request is malformed."),
    (b"GET /seen HTTP/1.1\r\n" + b"X: x\r\n" * 600 + b"\r\n", 431, "There are too many headers."),
    (UPGRADE.replace(b"13", b"12") % b"/echo" + b"\r\n", 426, "The version of the WebSocket has to be 13."),
]


async def test_a_refusal_says_why_to_the_client_and_in_the_log(start):
    server = start(before="import logging; logging.basicConfig(level='INFO')")
    for request_bytes, status, why in REFUSED:
        answer = await server.tell(request_bytes)
        assert answer.startswith(b"HTTP/1.1 %d " % status)
        assert b"\r\nDate: " in answer
        assert why.encode() in answer
        await server.said(f"refused 127.0.0.1 with {status}: {why}")


async def test_a_form_is_read_by_the_application_alone(hurried):
    """What the server itself would read of it keeps everybody else waiting."""
    answer = await hurried.tell(
        b"POST /seen HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"Content-Type: multipart/form-data\r\nContent-Length: 9\r\n\r\nno bounds"
    )
    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_an_application_that_fails_or_ends_closes_the_socket(tmp_path):
    server = TinyServer(tmp_path)
    async with await server.open("/crash") as crashed, await server.open("/leave") as left:
        assert await left.close_code() == 1000
        assert await crashed.close_code() == 1011
    async with await server.open("/handed-over?early=nothing") as socket:
        await socket.send_text("crash")
        await socket.send_text("nobody hears this")
        assert await socket.close_code() == 1011
    await server.said("disconnect 1011")
    server.stop()
    assert len([line for line in server.lines if "application: crashed on purpose" in line]) == 2


async def test_clients_do_not_choose_the_root_path(server):
    assert json.loads(await server.get("/seen", "Daphne-Root-Path: /evil"))["root_path"] == ""
    async with await server.open("/seen", daphne_root_path="/evil") as socket:
        assert json.loads(await socket.text())["root_path"] == ""


async def test_connections_leave_no_line_unless_asked_for(server, start):
    asked = start("--access-log", "-")
    for each in (server, asked):
        await each.get("/seen")
        async with await each.open("/leave") as socket:
            assert await socket.close_code() == 1000
    await asked.said("WSDISCONNECT")
    assert server.lines == []


# Where it listens


IPV4, IPV6 = "127.0.0.1", "::1"
INHERIT = """
import os, socket
listener = socket.socket({family})
listener.bind({address!r})
listener.listen()
os.dup2(listener.fileno(), 60)
"""


@contextlib.asynccontextmanager
async def connected(address, path):
    """A socket of the websockets library, wherever the server listens."""
    if isinstance(address, str):
        async with unix_connect(address, f"ws://localhost{path}") as connection:
            yield connection
    else:
        host = f"[{address[0]}]" if ":" in address[0] else address[0]
        async with connect(f"ws://{host}:{address[1]}{path}") as connection:
            yield connection


@pytest.fixture(params=[IPV4, IPV6, "unix"])
def address(request, tmp_path):
    return str(tmp_path / "socket") if request.param == "unix" else (request.param, free_port())


async def test_it_listens_on_an_address(start, address):
    if isinstance(address, str):
        start("-u", address, reach=address)
    else:
        start("-b", address[0], "-p", str(address[1]), reach=address)
    await assert_serves(address)


async def test_it_takes_the_place_of_a_dead_server_and_of_no_other(start, tmp_path):
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)
    os.symlink(str(os.getpid()), f"{path}.lock")  # the number of the dead server lives again, in us
    start("-u", path, reach=path)
    await assert_serves(path)
    second = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "chatsite.server", "-u", path, APPLICATION], stderr=subprocess.PIPE
    )
    _, said = await second.communicate()
    assert second.returncode == 1
    assert said.decode() == f"chatsite: {path}: another server listens there.\n"
    await assert_serves(path)


async def test_it_listens_on_an_inherited_socket_and_leaves_it_to_others(start, address):
    inherit = INHERIT.format(family=int(family_of(address)), address=address)
    server = start("--fd", "60", reach=address, before=inherit)
    await assert_serves(address)
    server.stop()
    if isinstance(address, str):
        Path(address).unlink()  # noqa: ASYNC240


async def assert_serves(address):
    async with connected(address, "/seen") as connection:
        seen = json.loads(await connection.recv())
        assert seen["client"] == (None if isinstance(address, str) else list(connection.local_address[:2]))
        assert seen["extensions"] == ["chatsite.drain", "chatsite.frames"]
    async with connected(address, "/order?way=both&count=300&padding=10000") as connection:
        assert [int(text.split()[0]) async for text in connection_until_closed(connection)] == list(range(300))


async def connection_until_closed(connection):
    with contextlib.suppress(ConnectionClosedError):
        async for text in connection:
            yield text


async def test_it_speaks_tls(start, tmp_path):
    certificate = make_certificate(tmp_path)
    port = free_port()
    start("-e", f"ssl:{port}:privateKey={certificate}:interface=127.0.0.1", reach=("127.0.0.1", port))
    trusting = ssl.create_default_context(cafile=certificate)
    async with connect(f"wss://localhost:{port}/order?way=both&count=300&padding=10000", ssl=trusting) as connection:
        assert [int(text.split()[0]) async for text in connection_until_closed(connection)] == list(range(300))


# Other versions of what it is made of

OTHER_AUTOBAHN = """
import daphne.ws_protocol
daphne.ws_protocol.WebSocketProtocol.serverSend = lambda self, content, binary=False, urgency=0: self.sendMessage(
    content if binary else content.encode(), binary
)
"""
OTHER_DAPHNE = """
from daphne.server import Server
plain = Server.create_application
Server.create_application = lambda self, protocol, scope, more=None: plain(self, protocol, scope | {"extensions": {}})
"""


@pytest.mark.parametrize(
    ("change", "extensions", "line"),
    [
        (OTHER_AUTOBAHN, ["chatsite.drain"], r"ChatSocket is not used.*: WebSocketProtocol.serverSend$"),
        (OTHER_DAPHNE, [], r"ChatServer is not used.*: Server.create_application$"),
    ],
)
async def test_it_serves_plainly_where_a_part_has_changed(start, change, extensions, line):
    server = start(before=change)
    async with await server.open("/seen") as socket:
        assert json.loads(await socket.text())["extensions"] == extensions
    async with await server.open("/echo") as socket:
        await socket.send_text("hello")
        assert await socket.text() == "hello"
    assert len(server.lines) == 1
    assert re.search(line, server.lines[0])
