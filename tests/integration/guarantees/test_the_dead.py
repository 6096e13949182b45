"""G5: a peer that vanished without a FIN is found, both ways, and nobody stays online longer than they may."""

import asyncio
import time
from contextlib import suppress

import pytest

from chat import limits
from rig.client import ChatClient
from rig.person import Person
from rig.proxy import Proxy
from rig.raw_socket import RawSocket
from rig.staging import until_logged
from rig.tuned import HASTY

PROMISED_S = 45


async def until_told_that_somebody_left(watcher, name, patience_s=60):
    await watcher.waits_for(
        lambda: any(name in event.get("left", ()) for event in watcher.events if event["type"] == "presence"),
        patience_s,
    )


def departures(watcher):
    return [event["left"] for event in watcher.events if event["type"] == "presence" and event.get("left")]


def online(watcher):
    return sorted(watcher.online)


async def test_a_client_that_vanished_is_closed_and_leaves_the_room(start_site):
    site = start_site(**HASTY)
    async with (
        Person(site.ws_urls, "name=ada") as ada,
        Person(site.ws_urls[1:], "name=bob") as bob,
        Proxy(site.ws_urls[0]) as line,
        Person([line.url], "name=ghost") as ghost,
    ):
        for watcher in (ada, bob):
            await watcher.waits_for(lambda watcher=watcher: online(watcher) == ["ada", "bob", "ghost"])
        line.freeze()
        for watcher in (ada, bob):
            await until_told_that_somebody_left(watcher, "ghost")
            assert departures(watcher) == [["ghost"]]
        assert "close ghost" in site.logs
        ghost._life.cancel()


async def test_a_server_that_vanished_is_left_for_another(start_site):
    site = start_site(**HASTY)
    async with (
        Proxy(site.ws_urls[0]) as line,
        Person([line.url, site.ws_urls[1]], "name=ada") as ada,
        Person(site.ws_urls[1:], "name=bob") as bob,
        ChatClient(f"{site.ws_urls[1]}?name=witness") as witness,
    ):
        await witness.join()
        await ada.says("one")
        line.freeze()
        ack = await ada.begins_to_say("two")
        await bob.says("three")
        assert (await ack)["type"] == "ack"
        await ada.sees("one", "two", "three")
        await bob.sees("one", "two", "three")
        await witness.close()
        await until_told_that_somebody_left(bob, "witness")
        assert departures(bob) == [["witness"]]


async def test_nobody_stays_online_when_their_process_is_killed(site):
    """With the real clocks: the promise is a number of seconds."""
    async with Person(site.ws_urls[1:], "name=ada") as ada, ChatClient(f"{site.ws_urls[0]}?name=bob") as bob:
        await bob.join()
        await ada.waits_for(lambda: "bob" in ada.online)
        site.kill(0)
        killed_at = time.monotonic()
        await until_told_that_somebody_left(ada, "bob")
        assert time.monotonic() - killed_at <= PROMISED_S


async def test_who_is_elsewhere_too_stays_when_a_process_is_killed(start_site):
    site = start_site(**HASTY)
    async with (
        Person(site.ws_urls[1:], "name=ada") as ada,
        Person(site.ws_urls, "name=bob") as bob,
        ChatClient(f"{site.ws_urls[0]}?name=gone") as gone,
    ):
        await gone.join()
        await ada.waits_for(lambda: online(ada) == ["ada", "bob", "gone"])
        site.kill(0)
        await until_told_that_somebody_left(ada, "gone")
        assert departures(ada) == [["gone"]]
        for watcher in (ada, bob):
            await watcher.waits_for(lambda watcher=watcher: online(watcher) == ["ada", "bob"])


async def test_a_reload_is_no_departure(place):
    async with place.person("ada") as ada, place.person("eve", 1) as eve, place.person("bob") as bob:
        bobs_name = place.name("bob")
        for watcher in (ada, eve):
            await watcher.waits_for(lambda watcher=watcher: bobs_name in watcher.online)
        for number in range(5):
            bob.cut()
            await bob.waits_for(lambda: not bob.is_caught_up)
            await bob.says(f"back {number}")
            await asyncio.gather(ada.sees(f"back {number}"), eve.sees(f"back {number}"))
        for watcher in (ada, eve):
            assert departures(watcher) == []
            assert sum(bobs_name in e.get("joined", ()) for e in watcher.events if e["type"] == "presence") <= 1


async def test_a_process_that_stood_still_comes_back_and_closes_nobody(start_site):
    """Its people leave the rooms in time, as far as the others can tell, and are there again when it goes on."""
    site = start_site(**HASTY)
    async with (
        Person(site.ws_urls[:1], "name=ada", patient=True) as ada,
        Person(site.ws_urls[1:], "name=bob") as bob,
    ):
        await ada.waits_for(lambda: online(ada) == ["ada", "bob"])
        await bob.waits_for(lambda: online(bob) == ["ada", "bob"])
        site.processes[0].freeze()
        await bob.says("are you there?")
        await until_told_that_somebody_left(bob, "ada")
        asking = await ada.begins_to_say("what happened?")
        site.processes[0].thaw()
        await asking
        await bob.waits_for(lambda: online(bob) == ["ada", "bob"])
        await asyncio.gather(ada.sees("are you there?"), bob.sees("what happened?"))
        assert ada.closes == bob.closes == []
        await ada.waits_for(lambda: online(ada) == ["ada", "bob"])
        assert ada.timeline.texts == bob.timeline.texts


@pytest.mark.parametrize("subprotocols", [["chat.v1"], ["chat.text"], []], ids=["chat.v1", "chat.text", "ModeCode"])
async def test_a_connection_that_is_opened_late_replaces_nobody_when_it_is_dead(start_site, subprotocols):
    """A process stands still; who calls there gives up and goes elsewhere; it goes on, and answers the call."""
    site = start_site()
    frozen = site.processes[0]
    frozen.freeze()
    with suppress(TimeoutError):
        async with asyncio.timeout(1):
            await RawSocket.open(f"{site.ws_urls[0]}?name=ada", *subprotocols)
    async with Person(site.ws_urls[1:], "name=ada") as ada:
        await ada.says("here I am")
        frozen.thaw()
        await until_logged(site, "close ada")
        async with Person(site.ws_urls[:1], "name=bob"):  # what the frozen process said of ada is heard before him
            await ada.waits_for(lambda: "bob" in ada.online)
        assert ada.closes == []
        await ada.says("here I am still")


async def test_who_only_listens_for_long_stays(start_site):
    """Heartbeats are life enough."""
    site = start_site(1, **HASTY)
    async with Person(site.ws_urls, "name=ada") as ada:
        beats_wanted = 2 * limits.HEARTBEAT_DEADLINE_S / limits.HEARTBEAT_INTERVAL_S
        await ada.waits_for(lambda: sum(event["type"] == "heartbeat" for event in ada.events) > beats_wanted)
        assert ada.closes == []


async def test_pings_are_life_enough(start_site):
    site = start_site(1, **HASTY)
    async with (
        ChatClient(f"{site.ws_urls[0]}?name=ada", ping_interval=1) as ada,
        ChatClient(f"{site.ws_urls[0]}?name=bob", ping_interval=None) as bob,
    ):
        await ada.join()
        await bob.join()
        assert (await bob.told("closed"))["code"] == 4103
        assert (await ada.told("presence", left=["bob"]))["count"] == 1
        assert ada.close_code is None


async def test_who_says_nothing_at_all_is_closed(start_site):
    site = start_site(1, **HASTY)
    async with ChatClient(f"{site.ws_urls[0]}?name=ada") as ada:
        await ada.join()
        assert (await ada.told("bye"))["code"] == 4103
        assert (await ada.told("closed"))["code"] == 4103
