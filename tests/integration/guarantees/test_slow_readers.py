"""G6: who does not read, or floods, harms only themselves, and costs little."""

import asyncio
import contextlib
from contextlib import ExitStack

import psutil
import pytest

from rig.client import ChatClient
from rig.person import Person, loaded_afresh
from rig.raw_socket import RawSocket
from rig.slow_reader import Sloth
from rig.staging import new_room, rows, tickets
from rig.waiting import until

NO_LIMIT = {"CHAT_POSTS_PER_S": "0"}
MIB = 1024 * 1024
SLOTHS = 8
COST_BYTES = MIB
SLACK_BYTES = 4 * MIB
LONG_TEXT = "x" * 8_000
LONGEST_TEXT = "漢" * 8_000
PAGE_FULL = 500


def memory_bytes(process):
    return psutil.Process(process.pid).memory_full_info().uss


async def post_many(client, room, text, count):
    for _ in range(count // 25):
        await asyncio.gather(*(client.post(text, room) for _ in range(25)))


async def test_who_never_reads_is_cut_and_costs_a_mebibyte_at_most(start_site):
    site = start_site(1, **NO_LIMIT)
    async with Person(site.ws_urls, "name=ada") as ada, ChatClient(f"{site.ws_urls[0]}?name=bob") as bob:
        await bob.join()
        await post_many(bob, "lobby", LONG_TEXT, PAGE_FULL + 100)  # what the process remembers of a room is full now
        before_bytes = memory_bytes(site.processes[0])
        with ExitStack() as stack:
            for number in range(SLOTHS):
                stack.enter_context(Sloth(site.urls[0], f"sloth{number}", "lobby").is_in())
            most_bytes = 0
            while site.logs.count("with 4101") < SLOTHS:
                await bob.post(LONG_TEXT)
                most_bytes = max(most_bytes, memory_bytes(site.processes[0]) - before_bytes)
        assert most_bytes <= SLOTHS * COST_BYTES + SLACK_BYTES
        await bob.post("all is well")
        await ada.sees("all is well")
        assert (ada.closes, ada.timeline.gaps) == ([], 0)


async def test_who_asks_for_long_pages_and_never_reads_costs_no_more(start_site):
    site = start_site(1, **NO_LIMIT)
    async with ChatClient(f"{site.ws_urls[0]}?name=bob") as bob:
        await bob.join()
        await post_many(bob, "lobby", LONGEST_TEXT, PAGE_FULL)
        with sloths_that_ask_for_pages(site):
            pass  # what reading a page takes for a moment, each thread that reads has taken now
        before_bytes = memory_bytes(site.processes[0])
        with sloths_that_ask_for_pages(site):
            await bob.post("all is well")
            assert memory_bytes(site.processes[0]) - before_bytes <= SLOTHS * COST_BYTES + SLACK_BYTES


@contextlib.contextmanager
def sloths_that_ask_for_pages(site):
    with ExitStack() as stack:
        for number in range(SLOTHS):
            stack.enter_context(Sloth(site.urls[0], f"sloth{number}", "lobby", after=0).is_in())
        yield


@pytest.mark.parametrize("server", ["chatsite.server", "daphne"])
async def test_who_reads_gets_the_longest_pages(start_site, server):
    site = start_site(1, server=server, **NO_LIMIT)
    async with ChatClient(f"{site.ws_urls[0]}?name=bob") as bob:
        await bob.join()
        await post_many(bob, "lobby", LONGEST_TEXT, 100)
    async with Person(site.ws_urls, "name=ada") as ada:
        ada.cut()
        epoch = ada.timeline.epoch
        ada.timeline.clear()
        ada.timeline.position, ada.timeline.epoch = 0, epoch
        await ada.waits_for(lambda: not ada.is_caught_up)
        await ada.reaches(100)
        assert len(ada.closes) == 1
        assert len(ada.timeline.messages) == 100
    assert len(await loaded_afresh(f"{site.ws_urls[0]}?name=eve")) == 100


async def test_who_sends_without_reading_is_held_back_and_the_others_are_not(start_site):
    site = start_site(1, **NO_LIMIT)
    process = site.processes[0]
    async with Person(site.ws_urls, "name=ada") as ada, Person(site.ws_urls, "name=bob") as bob:
        await ada.says("before")
        before_bytes = memory_bytes(process)
        flood = [
            {"type": "history", "room": "lobby", "before": 1_000, "limit": 200},
            {"type": "heartbeat", "sent": "x" * 60_000},
            {"type": "post", "room": "lobby", "nonce": "n", "text": LONG_TEXT},
        ]
        sent = [0] * len(flood)
        flooders = [asyncio.create_task(send_for_ever(process, n, verb, sent)) for n, verb in enumerate(flood)]
        for number in range(20):
            await ada.says(f"{number}")
            await bob.sees(f"{number}")
            assert memory_bytes(process) - before_bytes <= len(flood) * 2 * COST_BYTES + SLACK_BYTES
        for flooder in flooders:
            flooder.cancel()
        await asyncio.gather(*flooders, return_exceptions=True)
        assert min(sent) >= 10, sent
        assert ada.closes == bob.closes == []


async def send_for_ever(process, number, verb, sent):
    """Until the server does not take any more, or hangs up."""
    async with await RawSocket.open(f"{process.ws_url}?name=f{number}", "chat.v1") as flooder:
        with contextlib.suppress(ConnectionError):
            while True:
                await flooder.send(**verb)
                sent[number] += 1


async def test_the_limit_of_posts_holds_across_processes_and_ends_in_a_close(site):
    [ticket] = tickets(site, "grace")
    new_room(site, "annex")
    async with (
        ChatClient(f"{site.ws_urls[0]}?ticket={ticket}") as here,
        ChatClient(f"{site.ws_urls[1]}?ticket={ticket}") as there,
    ):
        places = [(here, "lobby"), (there, "annex"), (here, "annex"), (there, "lobby")]
        answers = await asyncio.gather(*(client.post("me!", room) for _ in range(15) for client, room in places))
        refused = [answer for answer in answers if answer["type"] == "error"]
        assert len(answers) - len(refused) == rows(site, "SELECT count(*) FROM chat_message")[0][0] <= 40
        assert {(error["code"], error["retry_after"] > 0) for error in refused} == {("rate_limited", True)}
        assert all(error["nonce"] for error in refused)
        assert len(await until(lambda: places_of_copies(here), every_s=0.5)) == 1
        assert rows(site, "SELECT count(*) FROM chat_message WHERE nonce = 'n'") == [(1,)]
        for number in range(200):
            with contextlib.suppress(Exception):
                await here.send("post", room="lobby", nonce=f"abuse {number}", text="me!")
        assert (await here.told("bye"))["code"] == 4102
        assert (await here.told("closed"))["code"] == 4102
        assert there.close_code is None


async def places_of_copies(client):
    """Where copies of one message that were let through ended up; they may all be refused."""
    answers = await asyncio.gather(*(client.post("once", nonce="n") for _ in range(5)))
    return {answer["seq"] for answer in answers if answer["type"] == "ack"}


async def test_a_retry_is_not_counted_by_the_limit(site):
    async with ChatClient(f"{site.ws_urls[0]}?name=ada") as ada:
        await ada.join()
        assert {(await ada.post("once", nonce="n"))["type"] for _ in range(60)} == {"ack"}


async def test_who_keeps_to_the_limit_gets_everything_through(site):
    async with Person(site.ws_urls, "name=ada") as ada:
        said = [f"{number}" for number in range(30)]
        acks = [await ada.begins_to_say(text) for text in said]
        await asyncio.gather(*acks)
        await ada.sees(*said)
        assert (ada.errors, ada.closes) == ([], [])
