"""What the tests of the wire share: one site for all of them, and in it a room and names for each."""

import itertools
import re
import shutil
from urllib.parse import quote

import pytest

from chatsite.serve.processes import short_folder
from rig.client import ChatClient
from rig.raw_socket import RawSocket
from rig.site import Site
from rig.visitor import Visitor

SERVERS = ["chatsite.server", "daphne"]
PROCESSES = 2
ROOMS = 1_000  # more than tests: a room that is given out twice is not empty
LONG_ROOMS = 20
LONG_ROOM_MESSAGES = 1_010

# Rooms enough for every test, and some in which much was said before.
MAKE_ROOMS = f"""
from django.conf import settings
from accounts.models import User
from chat.messages import ledger
from chat.models import Room
from chat.wire import verbs
settings.CHAT_POSTS_PER_S = 0
Room.objects.bulk_create(Room(slug=f"room-{{n}}", title=f"Room {{n}}") for n in range({ROOMS}))
Room.objects.bulk_create(Room(slug=f"long-{{n}}", title=f"Long {{n}}") for n in range({LONG_ROOMS}))
author = User.objects.create_guest("historian")
for room in range({LONG_ROOMS}):
    said = [verbs.Post(room=f"long-{{room}}", nonce=str(n), text=str(n)) for n in range({LONG_ROOM_MESSAGES})]
    ledger.write([ledger.Entry(author.pk, post) for post in said])
"""


def pytest_collection_modifyitems(config, items):
    """What runs once, and plain Daphne, are tested on SQLite."""
    if config.option.database != "sqlite":
        once = [item for item in items if item.get_closest_marker("one_database") or _is_on_plain_daphne(item)]
        config.hook.pytest_deselected(items=once)
        items[:] = [item for item in items if item not in set(once)]


def _is_on_plain_daphne(item) -> bool:
    return hasattr(item, "callspec") and "daphne" in item.callspec.params.values()


class Chat:
    """A site as one test sees it: with a room and names that no other test has, and the log lines of its time."""

    def __init__(self, site: Site, server: str, number: int):
        self.site = site
        self.is_plain_daphne = server == "daphne"
        self.room = f"room-{number % ROOMS}"
        self.long_room = f"long-{number % LONG_ROOMS}"
        self._number = number
        self._read_until = [process.log.stat().st_size for process in site.processes]
        self._sockets: list[RawSocket] = []

    def name(self, like: str) -> str:
        return f"{like}.{self._number:04}"

    # Connecting: `process` is the number of the server process

    async def open(self, path: str = "/ws/", *subprotocols: str, process: int = 0, **headers: str) -> RawSocket:
        """A socket just after the handshake."""
        url = self.site.urls[process].replace("http:", "ws:")
        self._sockets.append(await RawSocket.open(url + path, *subprotocols, **headers))
        return self._sockets[-1]

    async def connect(self, name: str, process: int = 0) -> RawSocket:
        """A chat.v1 socket of a guest, after the hello."""
        socket = await self.open(f"/ws/?name={quote(self.name(name))}", "chat.v1", process=process)
        await socket.told("hello")
        return socket

    async def join(self, name: str, process: int = 0, **fields) -> RawSocket:
        """A chat.v1 socket of a guest, in the room."""
        socket = await self.connect(name, process)
        await socket.send("join", room=self.room, **fields)
        await socket.told("joined")
        return socket

    async def mode_code(self, name: str, process: int = 0) -> RawSocket:
        """A ModeCode socket, in the room: it answers once it is."""
        socket = await self.open(f"/ws/?name={quote(self.name(name))}&room={self.room}", process=process)
        await socket.send_text('{"ModeCode":"heart_beat"}')
        assert await socket.text() == '{"ModeCode":"heart_beat"}'
        return socket

    async def plain_text(self, name: str, process: int = 0) -> RawSocket:
        """A chat.text socket, in the room: it answers once it is."""
        socket = await self.open(f"/ws/text/?name={quote(self.name(name))}&room={self.room}", process=process)
        assert await socket.text() == f"Welcome {self.name(name)}"
        await socket.send_text("/me")
        await socket.text()
        return socket

    def client(self, name: str, process: int = 0) -> ChatClient:
        """A client with a memory, to be entered with `async with`."""
        return ChatClient(f"{self.site.ws_urls[process]}?name={quote(self.name(name))}")

    def visitor(self, process: int = 0) -> Visitor:
        return Visitor(self.site.urls[process])

    # The log

    @property
    def logs(self) -> list[str]:
        """The lines that the processes wrote during this test."""
        logs = zip(self.site.processes, self._read_until, strict=True)
        return b"".join(process.log.read_bytes()[start:] for process, start in logs).decode().splitlines()

    def logged(self, pattern: str) -> list[str]:
        return [line for line in self.logs if re.search(pattern, line)]

    async def told_in_the_log(self, pattern: str) -> str:
        """The first line like that; between two looks every process gives a sign of life."""
        while not (found := self.logged(pattern)):
            for process in range(PROCESSES):
                async with await self.open("/ws/echo/", process=process) as echo:
                    await echo.text()
        return found[0]

    def end(self) -> None:
        for socket in self._sockets:
            socket.vanish()


@pytest.fixture(scope="session", params=SERVERS)
def shared_site(blueprint, request):
    """Two processes that live as long as the tests that use them, under our server and under plain Daphne."""
    folder = short_folder("chatsite-site-")
    site = Site(folder, blueprint.copy(folder / "data"), request.param)
    site.manage("shell", "--no-imports", "-c", MAKE_ROOMS)
    for _ in range(PROCESSES):
        site.add_process()
    yield site
    site.stop()
    found = tracebacks(site.logs)
    shutil.rmtree(folder)
    assert found == []


def tracebacks(logs: str) -> list[str]:
    """From each one to the next line with a date."""
    return re.findall(r"^Traceback .*?(?=^\d{4}-|\Z)", logs, re.DOTALL | re.MULTILINE)


_numbers = itertools.count()


@pytest.fixture
async def chat(shared_site, request):
    chat = Chat(shared_site, request.node.callspec.params["shared_site"], next(_numbers))
    yield chat
    chat.end()
    lines = "\n".join(chat.logs)
    request.node.add_report_section("teardown", "servers", lines)
    assert tracebacks(lines) == []
