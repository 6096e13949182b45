"""Something dies, freezes, or is restarted, and people should hardly notice."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from rig.site import Site
from rig.staging import new_room

from .people import Listener, Talk, crowd, p99
from .stage import Stage
from .table import Finding

FROZEN_S = 20
DELIVERY_LIMIT_S = 2.0
BLACKOUT_LIMIT_S = 3.0
KILLS = 6
DRAINED = 4200


async def redis_frozen(stage: Stage) -> Finding:
    with stage.site(2) as site:
        async with crowd(site, 20) as people:
            talk = Talk(people)
            async with talking(talk, people, messages_per_s=20):
                await asyncio.sleep(3)
                site.valkey.freeze()
                frozen_at = time.monotonic()
                await asyncio.sleep(FROZEN_S)
                site.valkey.thaw()
                await asyncio.sleep(5)
            await talk.landed()
            delays_s = talk.delays_s(after=frozen_at, before=frozen_at + FROZEN_S)
            disconnected = sum(len(person.closes) for person in people)
    return Finding(
        f"{talk.lost} of {len(talk.said):,} lost; deliveries at most {max(delays_s):.2f} s late"
        f" (p99 {p99(delays_s):.2f} s); {disconnected} disconnected",
        holds=talk.lost == disconnected == 0 and max(delays_s) <= DELIVERY_LIMIT_S,
    )


async def blackout(stage: Stage) -> Finding:
    """From the end of a person's connection until they are caught up; in turn each process is killed."""
    with stage.site(2) as site:
        async with crowd(site, 100) as people:
            talk = Talk(people)
            async with talking(talk, people, messages_per_s=10):
                for number in range(KILLS):
                    await asyncio.to_thread(site.kill, number % 2)
                    await asyncio.to_thread(stage.start_again, site, number % 2)
                    await everybody_is_back(people)
            await talk.landed()
    blackouts_s = [seconds for person in people for seconds in person.blackouts_s]
    return Finding(
        f"p99 {p99(blackouts_s):.2f} s, longest {max(blackouts_s):.2f} s of {len(blackouts_s)}; {talk.lost} lost",
        holds=p99(blackouts_s) <= BLACKOUT_LIMIT_S and talk.lost == 0,
    )


async def rolling_restart(stage: Stage) -> Finding:
    with stage.site(2) as site:
        rooms = [new_room(site, f"room-{number}") for number in range(10)]
        async with crowd(site, 500, rooms) as people:
            await asyncio.sleep(2)
            marks = {person: len(person.events) for person in people}
            talk = Talk(people[::10])
            async with talking(talk, people, messages_per_s=10):
                for number in (0, 1):
                    await restarted(stage, site, number)
                    await everybody_is_back(people)
            seen = [event for person in people for event in person.events[marks[person] :]]
            shown = sum(len(person.errors) + len(person.resyncs) for person in people)
            unkind = sum(code != DRAINED for person in people for code in person.closes)
            departures = sum(len(event["left"]) for event in seen if event["type"] == "presence" and "left" in event)
            missing = sum(50 - event["online"]["count"] for event in seen if event.get("online"))
    blackouts_s = [seconds for person in people for seconds in person.blackouts_s]
    return Finding(
        f"p99 {p99(blackouts_s):.2f} s, longest {max(blackouts_s):.2f} s of {len(blackouts_s)}; {shown} errors,"
        f" {unkind} closed otherwise than with {DRAINED}; {departures} departures,"
        f" {missing} missing in the lists of those who came back",
        holds=p99(blackouts_s) <= BLACKOUT_LIMIT_S and shown == unkind == departures == missing == 0,
    )


@asynccontextmanager
async def talking(talk: Talk, people: Sequence[Listener], messages_per_s: float) -> AsyncIterator[None]:
    """All the while somebody says something, in turn, in the first person's room."""
    speakers = [person for person in people if person.room == people[0].room]

    async def go_on() -> None:
        for number in itertools.count():
            await talk.say(speakers[number % len(speakers)], f"message {number}")
            await asyncio.sleep(1 / messages_per_s)

    going_on = asyncio.create_task(go_on())
    try:
        yield
    finally:
        going_on.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await going_on


async def restarted(stage: Stage, site: Site, number: int) -> None:
    """As supervisor does it."""
    await asyncio.to_thread(site.processes[number].kill, signal.SIGTERM)
    await asyncio.to_thread(stage.start_again, site, number)


async def everybody_is_back(people: Sequence[Listener]) -> None:
    for person in people:
        await person.waits_for(lambda person=person: person.is_caught_up)
