"""The site as one command serves it: two processes on one port, kept alive by supervisor."""

import asyncio

import pytest

from tests.integration.test_serve import Serve, serve  # noqa: F401

from .people import Person

PATIENCE_S = 60


class Lobby:
    """The first room of the site that the command serves."""

    room = "lobby"

    def __init__(self, run: Serve):
        self.run = run
        self.site = self
        self.urls = [run.url]
        self.ws_urls = [f"{run.url}/ws/".replace("http:", "ws:")]

    def name(self, like: str) -> str:
        return like

    def kill(self, label: str) -> None:
        """The server process of that label, as kill -9 does."""
        for process in self.run.process.children(recursive=True):
            if process.environ().get("CHATSITE_PROCESS") == label:
                process.kill()


@pytest.fixture
def place(serve):  # noqa: F811
    return Lobby(serve().wait_until_announced())


async def goes_to_another_process(person: Person, process: str) -> None:
    """Comes again until somebody else answers: a process that was killed needs a while."""
    async with asyncio.timeout(PATIENCE_S):
        while person.process == process:
            await person.presses("Disconnect")
            await person.presses("Connect")
            await person.is_told("Online")


async def test_two_people_talk_on_two_processes_and_each_is_killed(chat, place):
    alice, bob = await chat.enter("alice"), await chat.enter("bob")
    said = []
    for number in range(2):
        await goes_to_another_process(bob, alice.process)
        for person in (alice, bob):
            said.append(f"{person.name} {number}")
            await person.says(said[-1])
        chat.will_be_missed(0)
        place.kill((alice, bob)[number].process)
        said.append(f"{number} after the crash")
        await alice.says(said[-1])
        for person in (alice, bob):
            await person.sees_just(*said)
            await person.sees_sent(*said)
            await person.is_told("Online")
