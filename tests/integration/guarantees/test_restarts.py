"""G8: a restart is boring. Everybody is told, comes back spread out and caught up; nobody sees an error."""

import asyncio
import contextlib
import signal
from contextlib import AsyncExitStack

from websockets.exceptions import InvalidHandshake, InvalidMessage

from rig.client import ChatClient
from rig.person import Person
from rig.staging import locked_database, until_logged

NO_LIMIT = {"CHAT_POSTS_PER_S": "0"}
PEOPLE = 12


async def gathered(stack, site):
    people = [
        await stack.enter_async_context(Person(site.ws_urls[n % 2 :] + site.ws_urls[: n % 2], f"name=p{n:02}"))
        for n in range(PEOPLE)
    ]
    everybody = {f"p{n:02}" for n in range(PEOPLE)}
    for person in people:
        await person.waits_for(lambda person=person: person.online == everybody)
    return people


async def write_until(is_over, people):
    """Everybody writes, one message after the other; the texts that were acknowledged."""
    said = []

    async def write(person, who):
        number = 0
        while not is_over.is_set():
            text = f"{who}.{number}"
            await person.says(text)
            said.append(text)
            number += 1
            await asyncio.sleep(0.02)

    await asyncio.gather(*(write(person, who) for who, person in enumerate(people)))
    return said


async def restart(site, number):
    """As a supervisor does it."""
    process = site.processes[number]
    await asyncio.to_thread(process.kill, signal.SIGTERM)
    assert process.process.returncode == 0
    await asyncio.to_thread(site.start, number)


def departures(people):
    return [event for person in people for event in person.events if event["type"] == "presence" and event.get("left")]


def rosters(person):
    """Who was here, as each answer to a join said."""
    return [set(event["online"]["names"]) for event in person.events if event["type"] == "joined" and "online" in event]


async def test_everybody_is_told_comes_back_at_a_time_of_their_own_and_is_caught_up(start_site):
    site = start_site(**NO_LIMIT)
    async with AsyncExitStack() as stack:
        people = await gathered(stack, site)
        on_the_first = people[::2]
        asking_to_stop = asyncio.create_task(asyncio.to_thread(site.processes[0].kill, signal.SIGTERM))
        for person in on_the_first:
            bye = await person.told("bye")
            assert (bye["code"], bye["reason"]) == (4200, "restarting")
            assert bye["retry_after"] > 0
            assert (await person.told("closed"))["code"] == 4200
        await people[1].says("while you were away")
        for person in people:
            await person.waits_for(lambda person=person: person.is_caught_up)
            await person.sees("while you were away")
        await asking_to_stop
        spread = [event["retry_after"] for person in on_the_first for event in person.events if event["type"] == "bye"]
        assert len(set(spread)) == len(spread)
        assert departures(people) == []


async def test_a_restart_of_every_process_under_load_shows_nobody_anything(start_site):
    site = start_site(**NO_LIMIT)
    is_over = asyncio.Event()
    async with AsyncExitStack() as stack:
        people = await gathered(stack, site)
        writing = asyncio.create_task(write_until(is_over, people))
        for number in (0, 1):
            await restart(site, number)
        is_over.set()
        said = await writing
        for person in people:
            await person.sees(*said)
        for person in people:
            assert set(person.closes) == {4200}
            assert (person.errors, person.resyncs, person.timeline.gaps) == ([], [], 0)
            assert person.timeline.messages == people[0].timeline.messages
        assert sorted(people[0].timeline.texts) == sorted(said)
        assert departures(people) == []


async def test_nobody_disappears_from_the_lists_of_those_who_come_back(start_site):
    """The process that they come back to is new, and has to know who was here a moment ago."""
    site = start_site(**NO_LIMIT)
    async with AsyncExitStack() as stack:
        people = await gathered(stack, site)
        for number in (0, 1):
            await restart(site, number)
        for person in people:
            await person.waits_for(lambda person=person: person.is_caught_up)
        everybody = {f"p{n:02}" for n in range(PEOPLE)}
        for person in people:
            assert len(rosters(person)) > 1
            assert rosters(person)[1:] == [everybody] * len(rosters(person)[1:])


async def test_what_was_under_way_when_the_process_stopped_is_there_once(start_site):
    site = start_site(**NO_LIMIT)
    async with Person(site.ws_urls, "name=ada") as ada, Person(site.ws_urls[1:], "name=bob") as bob:
        acks = [await ada.begins_to_say(f"{number}") for number in range(200)]
        await asyncio.to_thread(site.processes[0].kill, signal.SIGTERM)
        await asyncio.gather(*acks)
        await bob.sees(*(f"{number}" for number in range(200)))
        assert sorted(bob.timeline.texts, key=int) == [f"{number}" for number in range(200)]
        assert ada.errors == []


async def test_who_comes_while_it_stops_is_told_too_or_not_let_in(start_site):
    """Nobody is left with a socket that ends without a word."""
    site = start_site(1, **NO_LIMIT)
    stopping = asyncio.Event()
    async with AsyncExitStack() as stack:
        clients = []
        coming = asyncio.create_task(keep_coming(stack, site.ws_urls[0], clients, stopping))
        await stopping.wait()
        await asyncio.to_thread(site.processes[0].kill, signal.SIGTERM)
        await coming
        assert {(await client.told("closed"))["code"] for client in clients} == {4200}
        assert all("bye" in [event["type"] for event in client.events] for client in clients)


async def test_who_came_before_there_was_anything_to_drain_is_told_too(start_site):
    """The first of a process, who still wait for their names when it is told to stop."""
    site = start_site(1, **NO_LIMIT)
    async with AsyncExitStack() as stack:
        with locked_database(site, "accounts_user"):
            client = await stack.enter_async_context(ChatClient(f"{site.ws_urls[0]}?name=first"))
            site.processes[0].ask_to_stop()
            await until_logged(site, "draining 1 connections")
        assert (await client.told("closed"))["code"] == 4200
        assert "bye" in [event["type"] for event in client.events]


async def keep_coming(stack, url, clients, several_are_in):
    """One after the other, until there is no server."""
    with contextlib.suppress(OSError, InvalidHandshake, InvalidMessage):
        while True:
            clients.append(await stack.enter_async_context(ChatClient(f"{url}?name=n{len(clients)}")))
            if len(clients) == 20:
                several_are_in.set()
