"""G4: Redis is a courier. Dead, frozen, cut off, never there: all is accepted and delivered, nobody has to leave."""

import asyncio
from contextlib import AsyncExitStack

import pytest
import redis

from rig.person import Person
from rig.staging import until_logged
from rig.tuned import HASTY, TRUSTING
from rig.waiting import until

PEOPLE = 4


async def gathered(stack, site):
    """People in the lobby, on both processes."""
    return [
        await stack.enter_async_context(Person(site.ws_urls[number % 2 :], f"name=p{number}"))
        for number in range(PEOPLE)
    ]


async def talk(people, topic):
    """Everybody says something, and everybody sees everything."""
    said = [f"{topic}, says {number}" for number in range(len(people))]
    await asyncio.gather(*(person.says(text) for person, text in zip(people, said, strict=True)))
    await asyncio.gather(*(person.sees(*said) for person in people))


def assert_nobody_noticed(people):
    for person in people:
        assert (person.closes, person.errors, person.timeline.gaps) == ([], [], 0)
    assert len({tuple(person.timeline.texts) for person in people}) == 1


async def until_heard_through_redis(speaker, listener):
    """Where nobody looks into the database, what arrives came through Redis."""
    said = []

    async def is_heard():
        said.append(f"again {len(said)}")
        await speaker.says(said[-1])
        return set(said) & set(listener.timeline.texts)

    await until(is_heard, every_s=0.5)


async def test_redis_killed_and_started_again(start_site):
    site = start_site(**HASTY)
    async with AsyncExitStack() as stack:
        people = await gathered(stack, site)
        await talk(people, "before")
        site.valkey.kill()
        await talk(people, "without")
        site.valkey.start()
        await talk(people, "after")
        assert_nobody_noticed(people)


async def test_redis_frozen_for_a_while(start_site):
    site = start_site(**HASTY)
    async with AsyncExitStack() as stack:
        people = await gathered(stack, site)
        site.valkey.freeze()
        for round in range(3):
            await talk(people, f"frozen {round}")
        people.append(await stack.enter_async_context(Person(site.ws_urls[1:], "name=latecomer")))
        await talk(people, "with a latecomer")
        site.valkey.thaw()
        await talk(people, "thawed")
        assert_nobody_noticed(people)


async def test_redis_absent_from_the_start(start_site):
    site = start_site(0, **HASTY)
    site.valkey.kill()
    site.add_process()
    site.add_process()
    async with AsyncExitStack() as stack:
        people = await gathered(stack, site)
        await talk(people, "never had it")
        site.valkey.start()
        await talk(people, "have it now")
        assert_nobody_noticed(people)


async def test_subscriptions_cut_again_and_again_under_load(site):
    """The pub/sub layer loses what is published while its connection is gone, and says nothing."""
    valkey = redis.Redis.from_url(site.valkey.url)
    async with AsyncExitStack() as stack:
        people = await gathered(stack, site)
        for round in range(5):
            talking = asyncio.create_task(talk(people, f"round {round}"))
            valkey.client_kill_filter(_type="pubsub")
            await talking
        assert_nobody_noticed(people)
    valkey.close()


@pytest.mark.parametrize("trouble", ["killed", "frozen", "absent"])
async def test_deliveries_go_through_redis_again_when_it_is_back(start_site, trouble):
    site = start_site(0, **TRUSTING)
    if trouble == "absent":
        site.valkey.kill()
    site.add_process()
    site.add_process()
    async with Person(site.ws_urls, "name=ada") as ada, Person(site.ws_urls[1:], "name=bob") as bob:
        if trouble == "killed":
            await until_heard_through_redis(ada, bob)
            site.valkey.kill()
        if trouble == "frozen":
            site.valkey.freeze()
            await until_logged(site, "the channel layer is silent", times=2)
            site.valkey.thaw()
        else:
            site.valkey.start()
        await until_heard_through_redis(ada, bob)
        await until_heard_through_redis(bob, ada)
        assert (ada.closes, bob.closes) == ([], [])
