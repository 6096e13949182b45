"""G3: everybody sees the same messages in the same order, and whoever was away gets every change since, or is told."""

import asyncio
import json
import random
from contextlib import AsyncExitStack

import pytest

from chat import limits
from rig.client import ChatClient
from rig.staging import run
from rig.timeline import Timeline
from rig.tuned import HASTE, HASTY

WRITERS = 6
ABSENCE_CHANGES = 1_200
TINKER = """
from django.core.management import call_command
from chat.models import Room
for number in range(150):
    call_command("room", "{room}", title=f"Title {{number}}", verbosity=0, stdout=open("/dev/null", "w"))
"""


async def change_something(client, room, count, seed):
    """So many changes of every kind, as many at a time as the connection may have under way."""
    dice = random.Random(seed)
    acks = []
    for number in range(count):
        seq = dice.randint(1, max(1, number // 2))
        verb, fields = dice.choice(
            [
                ("post", {"text": f"{seed}: {number}", "nonce": f"{seed}-{number}"}),
                ("post", {"text": f"{seed}; {number}", "nonce": f"{seed}+{number}"}),
                ("post", {"text": f"{seed}! {number}", "nonce": f"{seed}={number}"}),
                ("edit", {"seq": seq, "text": f"{seed}, edited at {number}"}),
                ("react", {"seq": seq, "emoji": dice.choice("👍👎🎉"), "on": dice.random() < 0.7}),
                ("delete", {"seq": seq}),
            ]
        )
        acks.append(asyncio.create_task(client.ask(verb, room=room, **fields)))
        if len(acks) % 25 == 0:
            await asyncio.gather(*acks)
    await asyncio.gather(*acks)


async def test_everybody_sees_the_same_changes_in_the_same_order(place):
    async with AsyncExitStack() as stack:
        clients = [place.client(f"w{number}", number % 2) for number in range(WRITERS)]
        for client in clients:
            await stack.enter_async_context(client)
            await client.join(place.room)
        await asyncio.gather(*(change_something(client, place.room, 60, f"w{n}") for n, client in enumerate(clients)))
        last = place.head
        for client in clients:
            await client.until(lambda event: event.get("version") == last and event["type"] != "ack", from_start=True)
        timelines = [timeline_of(client) for client in clients]
        assert [(timeline.position, timeline.gaps) for timeline in timelines] == [(last, 0)] * WRITERS
        assert len({json.dumps(timeline.messages, sort_keys=True) for timeline in timelines}) == 1
        ordinals = [message["ordinal"] for message in timelines[0].messages.values()]
        assert sorted(ordinals) == list(range(1, len(ordinals) + 1))


def timeline_of(client):
    """What the client has been told, put together: pages, new states, and reactions."""
    timeline = Timeline()
    for event in client.events:
        if event["type"] == "joined":
            timeline.page(event)
        elif event["type"] in ("message", "reaction"):
            timeline.live(event)
    return timeline


@pytest.mark.parametrize("changes", [40, ABSENCE_CHANGES])
async def test_catching_up_is_the_same_as_loading_afresh(place, changes):
    async with place.client("ada") as ada:
        await ada.join(place.room)
        await change_something(ada, place.room, 40, "before")
        known = Timeline()
        async with place.client("bob", process=1) as bob:
            known.page(await bob.join(place.room))
        await change_something(ada, place.room, changes, "meanwhile")
        pages = 0
        async with place.client("bob", process=1) as bob:
            while True:
                page = await bob.join(place.room, after=known.position, epoch=known.epoch)
                known.page(page)
                pages += 1
                if not page.get("more"):
                    break
        assert known.gaps == 0
        assert known.position == place.head
        assert pages >= (2 if changes == ABSENCE_CHANGES else 1)
        fresh = await place.loaded_afresh()
        assert {seq: known.messages[seq] for seq in fresh} == fresh


async def cut_when_caught_up(person):
    await person.waits_for(lambda: person.is_caught_up)
    cuts = len(person.closes)
    person.cut()
    await person.waits_for(lambda: len(person.closes) > cuts)


async def test_coming_and_going_in_the_middle_of_everything_leaves_no_hole(place):
    async with AsyncExitStack() as stack:
        writers = [await stack.enter_async_context(place.client(f"w{number}", number % 2)) for number in range(4)]
        for writer in writers:
            await writer.join(place.room)
        flighty = [await stack.enter_async_context(place.person(f"f{n}", n % 2)) for n in range(3)]
        writing = asyncio.gather(
            *(change_something(writer, place.room, 150, f"w{n}") for n, writer in enumerate(writers))
        )
        while not writing.done():
            await asyncio.gather(*map(cut_when_caught_up, flighty))
        await writing
        for person in flighty:
            await person.reaches(place.head)
            assert person.timeline.gaps == 0
            assert person.closes
        fresh = await place.loaded_afresh()
        for person in flighty:
            assert {seq: person.timeline.messages[seq] for seq in fresh} == fresh


async def test_a_position_ahead_of_the_room_is_told_to_load_afresh(place):
    async with place.client("ada") as ada:
        for position in (1, 2**53):
            answer = await ada.join(place.room, after=position)
            assert (answer["type"], answer["room"]) == ("resync", place.room)
        assert (await ada.join(place.room))["type"] == "joined"


async def test_a_position_ahead_of_this_process_alone_is_not(place):
    """What another process committed a moment ago is looked up before anybody is sent to load afresh."""
    async with (
        place.client("ada") as ada,
        place.client("bob", process=1) as bob,
    ):
        await ada.join(place.room)
        for number in range(30):
            ack = await ada.post(f"{number}", place.room)
            assert (await bob.join(place.room, after=ack["version"]))["type"] == "joined"


async def test_a_position_from_another_epoch_is_told_to_load_afresh(place):
    async with place.client("ada") as ada:
        await ada.join(place.room)
        await ada.post("before", place.room)
        assert (await ada.join(place.room, after=1, epoch="abcdefgh"))["type"] == "joined"
        assert (await ada.join(place.room, after=1, epoch="other"))["type"] == "resync"


async def test_a_position_before_what_is_kept_is_told_to_load_afresh(place):
    async with place.client("ada") as ada:
        await ada.join(place.room)
        for number in range(5):
            await ada.post(f"{number}", place.room)
    place.rows(f"UPDATE chat_room SET floor = 3 WHERE slug = '{place.room}'")
    async with place.client("ada", process=1) as ada:
        assert (await ada.join(place.room, after=2))["type"] == "resync"
        assert (await ada.join(place.room, after=3))["type"] == "joined"


async def stands_at(client, version):
    """Two heartbeats from the same place, as far apart as an interval."""
    for _ in range(2):
        await client.ask("heartbeat", at={"lobby": version})
        await asyncio.sleep(limits.HEARTBEAT_INTERVAL_S / HASTE)


def unasked(client, type):
    return [event for event in client.events if event["type"] == type and "id" not in event]


async def test_who_is_behind_without_knowing_is_told_what_is_missing(start_site):
    site = start_site(1, **HASTY)
    async with ChatClient(f"{site.ws_urls[0]}?name=ada") as ada, ChatClient(f"{site.ws_urls[0]}?name=bob") as bob:
        await ada.join()
        await bob.join()
        for text in ("one", "two", "three"):
            await ada.post(text)
        await stands_at(ada, 3)
        await stands_at(bob, 1)
        page = await bob.told("joined", after=1, head=3)
        assert [message["text"] for message in page["messages"]] == ["two", "three"]
        assert unasked(bob, "joined") == [page]
        assert unasked(ada, "joined") == []


async def test_who_is_on_the_way_is_not_told_again(start_site):
    site = start_site(1, **HASTY)
    async with ChatClient(f"{site.ws_urls[0]}?name=ada") as ada:
        await ada.join()
        for number in range(3):
            await ada.post("and on it goes")
            await ada.ask("heartbeat", at={"lobby": number, "garden": 1})
            await ada.ask("heartbeat", at={"lobby": number, "garden": 1})
            await asyncio.sleep(limits.HEARTBEAT_INTERVAL_S / HASTE)
        assert unasked(ada, "joined") == unasked(ada, "resync") == []


async def test_who_is_ahead_without_knowing_is_told_to_load_afresh(start_site):
    site = start_site(1, **HASTY)
    async with ChatClient(f"{site.ws_urls[0]}?name=ada") as ada:
        await ada.join()
        await ada.post("one")
        await stands_at(ada, 7)
        assert (await ada.told("resync", room="lobby"))["reason"] == "your position is ahead of the room"


async def test_who_is_connected_while_the_database_is_restored_is_told_to_load_afresh(place):
    async with place.person("ada") as ada, place.person("bob", process=1) as bob:
        for number in range(5):
            await ada.says(f"{number}")
        await bob.sees("4")
        place.rows(f"DELETE FROM chat_message WHERE seq > 2 AND room_id = {place.room_id}")
        place.rows(f"UPDATE chat_room SET head = 2, epoch = 'restored' WHERE slug = '{place.room}'")
        for person in (ada, bob):
            await person.waits_for(lambda person=person: person.resyncs and person.is_caught_up)
            await person.waits_for(lambda person=person: person.timeline.texts == ["0", "1"])
        assert (await bob.says("and on"))["seq"] == 3
        await ada.sees("and on")


async def test_administering_a_room_under_load_takes_no_number_twice(place):
    async with place.client("ada") as ada:
        await ada.join(place.room)
        tinkering = asyncio.create_task(asyncio.to_thread(run, place.site, TINKER.format(room=place.room)))
        count = 0
        while not tinkering.done():
            acks = await asyncio.gather(*(ada.post(f"{count + number}", place.room) for number in range(10)))
            assert [ack["type"] for ack in acks] == ["ack"] * 10, acks
            count += 10
        await tinkering
    assert place.texts == [str(number) for number in range(count)]


@pytest.mark.parametrize(("is_in", "at"), [(True, 1), (False, 3)], ids=["behind", "not in the room"])
async def test_who_believes_to_be_live_and_is_not_gets_what_is_missing(start_site, is_in, at):
    site = start_site(1, **HASTY)
    async with ChatClient(f"{site.ws_urls[0]}?name=bob") as bob, ChatClient(f"{site.ws_urls[0]}?name=ada") as ada:
        await bob.join()
        for number in range(3):
            await bob.post(f"message {number}")
        if is_in:
            await ada.join()
        dead_rooms = {f"dead{number}": 1 for number in range(limits.REQUESTS_IN_FLIGHT)} if is_in else {}
        beating = asyncio.create_task(beat_at(ada, {**dead_rooms, "lobby": at}))
        page = await ada.until(lambda event: event["type"] == "joined" and event.get("after") == at)
        beating.cancel()
        assert [message["seq"] for message in page["messages"]] == list(range(at + 1, 4))
        await bob.post("all is well")
        await ada.until(lambda event: event.get("text") == "all is well")
        assert not [event for event in ada.events if event["type"] == "error" and event["room"] == "lobby"]


async def beat_at(client, positions):
    while True:
        await client.send("heartbeat", at=positions)
        await asyncio.sleep(limits.OUT_OF_STEP_S / HASTE / 2)
