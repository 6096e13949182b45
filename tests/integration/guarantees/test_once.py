"""G2: one nonce makes one message, however often and through however many processes it is sent."""

import asyncio
import json
import random
from contextlib import AsyncExitStack

import pytest

from rig.client import ChatClient
from rig.person import Person
from rig.staging import texts, tickets

CONNECTIONS = 20


@pytest.fixture(scope="session")
def ticket(shared_site):
    return tickets(shared_site, "grace")[0]


async def connected(stack, place, ticket, count):
    """So many connections of one name, dealt out among the processes."""
    clients = [ChatClient(f"{place.site.ws_urls[number % 2]}?ticket={ticket}") for number in range(count)]
    for client in clients:
        await stack.enter_async_context(client)
    await asyncio.gather(*(client.join(place.room) for client in clients))
    return clients


async def test_the_same_nonce_through_both_processes_at_once_is_one_message(place, ticket):
    async with AsyncExitStack() as stack:
        clients = await connected(stack, place, ticket, CONNECTIONS)
        for round in range(5):
            acks = await asyncio.gather(*(client.post("once", place.room, f"n{round}") for client in clients))
            assert {ack["type"] for ack in acks} == {"ack"}
            assert {(ack["seq"], ack["version"]) for ack in acks} == {(round + 1, round + 1)}
            assert sum("duplicate" not in ack for ack in acks) == 1
        for client in clients:
            await client.until(lambda event: event["type"] == "message" and event["seq"] == 5)
            assert [message["seq"] for message in client.messages(place.room)] == [1, 2, 3, 4, 5]
    assert place.texts == ["once"] * 5


async def test_a_nonce_repeated_in_one_frame_is_one_message(place):
    async with place.client("ada") as ada:
        await ada.join(place.room)
        line = '{"type":"post","id":%d,"room":"' + place.room + '","nonce":"n","text":"once"}'
        await ada.line.send_text("\n".join(line % id for id in range(100, 120)))
        acks = [await ada.told("ack", id=id) for id in range(100, 120)]
        assert {ack["seq"] for ack in acks} == {1}
    assert place.texts == ["once"]


async def test_a_retry_after_a_restart_of_everything_gets_the_first_ack(site):
    async with ChatClient(f"{site.ws_urls[0]}?name=ada") as ada:
        await ada.join()
        first = await ada.post("once", nonce="n")
        await ada.post("another")
    for program in (*site.processes, site.valkey):
        program.kill()
    site.valkey.start()
    for number in (0, 1):
        site.start(number)
        async with ChatClient(f"{site.ws_urls[number]}?name=ada") as ada:
            await ada.join()
            again = await ada.post("once", nonce="n")
            assert (again["seq"], again["version"], again["duplicate"]) == (first["seq"], first["version"], True)
    assert texts(site) == ["once", "another"]


async def test_a_retry_gets_the_first_ack_though_the_message_changed_since(place):
    async with place.client("ada") as ada, place.client("bob", process=1) as bob:
        await asyncio.gather(ada.join(place.room), bob.join(place.room))
        first = await ada.post("once", place.room, "n")
        await ada.ask("edit", room=place.room, seq=first["seq"], text="once more")
        await bob.ask("react", room=place.room, seq=first["seq"], emoji="👍", on=True)
        again = await ada.post("once", place.room, "n")
        assert (again["seq"], again["version"]) == (first["seq"], first["version"])
    assert place.texts == ["once more"]


async def test_two_people_and_two_rooms_may_use_the_same_nonce(place):
    async with place.client("ada") as ada, place.client("bob", process=1) as bob:
        for room in (place.room, place.new_room()):
            await asyncio.gather(ada.join(room), bob.join(room))
            acks = await asyncio.gather(ada.post("mine", room, "n"), bob.post("mine", room, "n"))
            assert {ack["seq"] for ack in acks} == {1, 2}


@pytest.mark.parametrize(
    ("verb", "fields"),
    [("edit", {"text": "better"}), ("delete", {}), ("react", {"emoji": "👍"})],
)
async def test_a_change_that_is_repeated_takes_no_second_number(place, ticket, verb, fields):
    async with AsyncExitStack() as stack:
        clients = await connected(stack, place, ticket, 10)
        seq = (await clients[0].post("good", place.room))["seq"]
        acks = await asyncio.gather(*(client.ask(verb, room=place.room, seq=seq, **fields) for client in clients))
        assert {ack.get("version") for ack in acks} == {2}, acks
        assert sum("duplicate" not in ack for ack in acks) == 1
    assert place.head == 2


@pytest.mark.parametrize(
    ("verb", "first", "later"),
    [
        ("edit", {"text": "better"}, {"text": "best"}),
        ("react", {"emoji": "👍", "on": True}, {"emoji": "👍", "on": False}),
    ],
)
async def test_a_late_copy_of_a_change_does_not_undo_what_came_after_it(place, ticket, verb, first, later):
    async with AsyncExitStack() as stack:
        here, there = await connected(stack, place, ticket, 2)
        seq = (await here.post("good", place.room))["seq"]
        was = await here.ask(verb, room=place.room, seq=seq, nonce="first", **first)
        then = await there.ask(verb, room=place.room, seq=seq, nonce="later", **later)
        await here.until(lambda event: event.get("version") == then["version"])  # what is loaded next comes from here
        state = await place.loaded_afresh()
        for client in (here, there):
            again = await client.ask(verb, room=place.room, seq=seq, nonce="first", **first)
            assert (again["seq"], again["version"], again["duplicate"]) == (seq, was["version"], True)
        assert (await place.loaded_afresh(), place.head) == (state, 3)


async def test_a_change_that_waited_in_a_process_that_stood_still_undoes_nothing(start_site):
    site = start_site()
    (ticket,) = tickets(site, "grace")
    here, there = [ChatClient(f"{url}?ticket={ticket}") for url in site.ws_urls]
    async with here, there:
        await asyncio.gather(here.join(), there.join())
        seq = (await here.post("good"))["seq"]
        better = {"room": "lobby", "seq": seq, "text": "better", "nonce": "better"}
        site.processes[0].freeze()
        waiting = await here.send("edit", **better)
        first = await there.ask("edit", **better)
        await there.ask("edit", room="lobby", seq=seq, text="best", nonce="best")
        site.processes[0].thaw()
        again = await here.told("ack", id=waiting)
        assert (again["version"], again["duplicate"]) == (first["version"], True)
    assert texts(site) == ["best"]


async def test_a_change_that_was_so_already_stays_answered_when_it_comes_again(place):
    async with place.client("ada") as ada:
        await ada.join(place.room)
        seq = (await ada.post("good", place.room))["seq"]
        already = await ada.ask("edit", room=place.room, seq=seq, text="good", nonce="already")
        await ada.ask("edit", room=place.room, seq=seq, text="better", nonce="later")
        again = await ada.ask("edit", room=place.room, seq=seq, text="good", nonce="already")
        assert [(ack["version"], ack["duplicate"]) for ack in (already, again)] == [(1, True), (1, True)]
    assert place.texts == ["better"]


async def test_a_late_copy_of_a_change_to_what_was_deleted_meanwhile_gets_its_answer(place):
    async with place.client("ada") as ada:
        await ada.join(place.room)
        seq = (await ada.post("good", place.room))["seq"]
        was = await ada.ask("edit", room=place.room, seq=seq, text="better", nonce="n")
        await ada.ask("delete", room=place.room, seq=seq, nonce="gone")
        late = await ada.ask("edit", room=place.room, seq=seq, text="better", nonce="n")
        assert (late["type"], late["version"]) == ("ack", was["version"])


async def test_the_same_nonce_of_a_change_through_both_processes_at_once_is_one_change(place, ticket):
    async with AsyncExitStack() as stack:
        clients = await connected(stack, place, ticket, CONNECTIONS)
        seq = (await clients[0].post("good", place.room))["seq"]
        for version in range(2, 7):
            asked = {"room": place.room, "seq": seq, "nonce": f"n{version}"}
            edits = [
                client.ask("edit", text=f"{version} by {number}", **asked) for number, client in enumerate(clients)
            ]
            acks = await asyncio.gather(*edits)
            assert {(ack["type"], ack.get("seq"), ack.get("version")) for ack in acks} == {("ack", seq, version)}
            assert sum("duplicate" not in ack for ack in acks) == 1
    assert place.head == 6


async def test_a_nonce_of_a_change_repeated_in_one_frame_is_one_change(place):
    async with place.client("ada") as ada:
        await ada.join(place.room)
        seq = (await ada.post("good", place.room))["seq"]
        asked = {"type": "react", "room": place.room, "seq": seq, "emoji": "👍"}
        lines = [json.dumps({**asked, "id": id, "on": id % 2 == 0, "nonce": "n"}) for id in range(100, 110)]
        await ada.line.send_text("\n".join(lines))
        assert {(await ada.told("ack", id=id))["version"] for id in range(100, 110)} == {2}
    assert place.head == 2


async def test_a_post_and_a_change_may_use_the_same_nonce(place):
    async with place.client("ada") as ada:
        await ada.join(place.room)
        seq = (await ada.post("good", place.room, "one"))["seq"]
        edited = await ada.ask("edit", room=place.room, seq=seq, text="better", nonce="one")
        assert (edited["type"], edited["version"], edited.get("duplicate")) == ("ack", 2, None)
        await ada.ask("react", room=place.room, seq=seq, emoji="👍", nonce="two")
        assert (await ada.post("another", place.room, "two"))["seq"] == 4
    assert place.texts == ["better", "another"]


async def test_who_is_cut_off_while_writing_writes_everything_once(start_site):
    site = start_site(CHAT_POSTS_PER_S="0")
    said = [f"line {number}" for number in range(60)]
    async with Person(site.ws_urls, "name=ada") as ada, Person(site.ws_urls[1:], "name=bob") as bob:
        acks = []
        for number, text in enumerate(said):
            acks.append(await ada.begins_to_say(text))
            if number % 10 == 5:
                await acks[-random.randrange(1, 5)]
                ada.cut()
        await asyncio.gather(*acks)
        await bob.sees(*said)
        assert sorted(bob.timeline.texts) == sorted(said)
    assert sorted(texts(site)) == sorted(said)
