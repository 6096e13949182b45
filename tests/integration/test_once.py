"""G2: one nonce makes one message, however often and through however many processes it is sent."""

import asyncio
import random
from contextlib import AsyncExitStack

import pytest

from tests.client import ChatClient
from tests.person import Person
from tests.staging import new_room, rows, standing_site, texts, tickets

CONNECTIONS = 20


@pytest.fixture(scope="module")
def shared(blueprint):
    """A site that these tests use one after the other, each in a room of its own."""
    with standing_site(blueprint, CHAT_CONNECTIONS_PER_NAME=str(CONNECTIONS)) as site:
        yield site


@pytest.fixture(scope="module")
def ticket(shared):
    return tickets(shared, "grace")[0]


@pytest.fixture
def room(shared, request):
    return new_room(shared, f"room-{abs(hash(request.node.name))}")


async def connected(stack, site, ticket, room, count):
    """So many connections of one name, dealt out among the processes."""
    clients = [ChatClient(f"{site.ws_urls[number % 2]}?ticket={ticket}") for number in range(count)]
    for client in clients:
        await stack.enter_async_context(client)
    await asyncio.gather(*(client.join(room) for client in clients))
    return clients


async def test_the_same_nonce_through_both_processes_at_once_is_one_message(shared, ticket, room):
    async with AsyncExitStack() as stack:
        clients = await connected(stack, shared, ticket, room, CONNECTIONS)
        for round in range(5):
            acks = await asyncio.gather(*(client.post("once", room, f"n{round}") for client in clients))
            assert {ack["type"] for ack in acks} == {"ack"}
            assert {(ack["seq"], ack["version"]) for ack in acks} == {(round + 1, round + 1)}
            assert sum("duplicate" not in ack for ack in acks) == 1
        for client in clients:
            await client.until(lambda event: event["type"] == "message" and event["seq"] == 5)
            assert [message["seq"] for message in client.messages(room)] == [1, 2, 3, 4, 5]
    assert texts(shared, room) == ["once"] * 5


async def test_a_nonce_repeated_in_one_frame_is_one_message(shared, room):
    async with ChatClient(f"{shared.ws_urls[0]}?name=ada") as ada:
        await ada.join(room)
        line = '{"type":"post","id":%d,"room":"' + room + '","nonce":"n","text":"once"}'
        await ada.socket.send("\n".join(line % id for id in range(100, 120)))
        acks = [await ada.told("ack", id=id) for id in range(100, 120)]
        assert {ack["seq"] for ack in acks} == {1}
    assert texts(shared, room) == ["once"]


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


async def test_a_retry_gets_the_first_ack_though_the_message_changed_since(shared, room):
    async with (
        ChatClient(f"{shared.ws_urls[0]}?name=ada") as ada,
        ChatClient(f"{shared.ws_urls[1]}?name=bob") as bob,
    ):
        await asyncio.gather(ada.join(room), bob.join(room))
        first = await ada.post("once", room, "n")
        await ada.ask("edit", room=room, seq=first["seq"], text="once more")
        await bob.ask("react", room=room, seq=first["seq"], emoji="👍", on=True)
        again = await ada.post("once", room, "n")
        assert (again["seq"], again["version"]) == (first["seq"], first["version"])
    assert texts(shared, room) == ["once more"]


async def test_two_people_and_two_rooms_may_use_the_same_nonce(shared, room):
    async with (
        ChatClient(f"{shared.ws_urls[0]}?name=ada") as ada,
        ChatClient(f"{shared.ws_urls[1]}?name=bob") as bob,
    ):
        for place in (room, new_room(shared, f"{room}-too")):
            await asyncio.gather(ada.join(place), bob.join(place))
            acks = await asyncio.gather(ada.post("mine", place, "n"), bob.post("mine", place, "n"))
            assert {ack["seq"] for ack in acks} == {1, 2}


@pytest.mark.parametrize(
    ("verb", "fields"),
    [("edit", {"text": "better"}), ("delete", {}), ("react", {"emoji": "👍"})],
)
async def test_a_change_that_is_repeated_takes_no_second_number(shared, ticket, room, verb, fields):
    async with AsyncExitStack() as stack:
        clients = await connected(stack, shared, ticket, room, 10)
        seq = (await clients[0].post("good", room))["seq"]
        acks = await asyncio.gather(*(client.ask(verb, room=room, seq=seq, **fields) for client in clients))
        assert {ack.get("version") for ack in acks} == {2}, acks
        assert sum("duplicate" not in ack for ack in acks) == 1
    assert rows(shared, f"SELECT head FROM chat_room WHERE slug = '{room}'") == [(2,)]


async def test_a_retry_is_not_counted_by_the_limit(shared, room):
    async with ChatClient(f"{shared.ws_urls[0]}?name=bob") as bob:
        await bob.join(room)
        acks = [await bob.post("once", room, "n") for _ in range(60)]
        assert {ack["type"] for ack in acks} == {"ack"}


async def test_who_is_cut_off_while_writing_writes_everything_once(start_site):
    site = start_site(CHAT_POSTS_PER_S="0")
    said = [f"line {number}" for number in range(60)]
    async with Person(site.ws_urls, "name=ada") as ada, Person(site.ws_urls[1:], "name=bob") as bob:
        acks = []
        for number, text in enumerate(said):
            acks.append(await ada.begins_to_say(text))
            if number % 10 == 5:
                await asyncio.sleep(random.uniform(0, 0.02))
                ada.cut()
        await asyncio.gather(*acks)
        await bob.sees(*said)
        assert sorted(bob.timeline.texts) == sorted(said)
    assert sorted(texts(site)) == sorted(said)
