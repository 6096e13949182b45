"""`daphne chatsite.asgi:application` and nothing else: no options of ours, no Redis, one process."""

import sys

import pytest

from rig.client import ChatClient
from rig.programs import Daphne, Program, free_port
from rig.raw_socket import RawSocket
from rig.visitor import Visitor

pytestmark = pytest.mark.one_database


class PlainDaphne(Daphne):
    """As somebody would type it."""

    def __init__(self, folder, env):
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.ws_url = f"ws://127.0.0.1:{self._port}/ws/"
        command = [sys.executable, "-m", "daphne", "--port", str(self._port), "chatsite.asgi:application"]
        Program.__init__(self, command, folder / "daphne.log", env)


@pytest.fixture(scope="module")
def daphne(blueprint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    daphne = PlainDaphne(folder, blueprint.copy(folder / "data"))
    yield daphne
    daphne.stop()
    assert "Traceback" not in daphne.log.read_text()


def test_it_serves_the_pages(daphne):
    alice = Visitor(daphne.url).enter("alice")
    assert "alice" in alice.get("/rooms/lobby/").text
    assert alice.ticket()


async def test_it_serves_the_chat_in_all_dialects(daphne):
    async with ChatClient(f"{daphne.ws_url}?name=ada") as ada, await RawSocket.open(f"{daphne.ws_url}text/") as paul:
        await ada.join()
        assert (await paul.text()).startswith("Welcome guest-")
        await paul.send_text("from paul")
        await ada.hears("from paul")
        assert (await paul.text()).endswith(" -> from paul")
        async with await RawSocket.open(f"{daphne.ws_url}?name=mia") as mia:
            await mia.send_text('{"ModeCode":"message","msg":"from mia"}')
            await ada.hears("from mia")
        assert await paul.text() == "mia -> from mia"


async def test_it_serves_the_echo(daphne):
    async with await RawSocket.open(f"{daphne.ws_url}echo/") as echo:
        await echo.event()
        await echo.send_bytes(b"\x00\xff")
        assert await echo.bytes() == b"\x00\xff"
