"""The site as one command serves it: two processes on one port, kept alive by supervisor."""

import asyncio

import pytest

from tests.browser.people import Person
from tests.integration.test_serve import Serve, serve  # noqa: F401

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
    chat.will_be_missed(0)
    said = []
    for victim in (alice, bob):
        await goes_to_another_process(bob, alice.process)
        said += [f"{person.name} {word} {victim.name}" for word in ("before", "after") for person in (alice, bob)]
        await alice.says(said[-4])
        await bob.says(said[-3])
        place.kill(victim.process)
        await alice.says(said[-2])
        await bob.says(said[-1])
        for person in (alice, bob):
            await person.sees_sent(*said)
        assert await alice.reads() == await bob.reads()
        assert len(await alice.reads()) == len(said)
