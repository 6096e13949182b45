"""G1: what was acknowledged is in the database, whatever is killed right after."""

import asyncio
import json
import struct

import pytest

from rig.client import ChatClient
from rig.person import Person
from rig.raw_socket import CLOSE, RawSocket
from rig.staging import cut_database_connections, locked_database, rows, texts

NO_LIMIT = {"CHAT_POSTS_PER_S": "0"}
WRITTEN_AT_ONCE = 200


async def test_an_acknowledged_message_survives_the_death_of_its_process(site):
    async with ChatClient(f"{site.ws_urls[0]}?name=ada") as ada:
        await ada.join()
        await ada.post("remember me")
        site.kill(0)
        assert texts(site) == ["remember me"]


async def test_every_acknowledged_message_of_a_burst_survives_kill_9(start_site):
    site = start_site(1, **NO_LIMIT)
    for round in range(3):
        async with ChatClient(f"{site.ws_urls[0]}?name=ada") as ada:
            await ada.join()
            for number in range(300):
                await ada.send("post", room="lobby", nonce=f"{round}.{number}", text=f"{round}.{number}")
            await ada.told("ack")
            site.kill(0)
            await ada.told("closed")
            acknowledged = {event["nonce"] for event in ada.events if event["type"] == "ack"}
        kept = texts(site)
        assert acknowledged <= set(kept)
        assert len(kept) == len(set(kept))
        site.start(0)


@pytest.mark.parametrize("server", ["chatsite.server", "daphne"])
async def test_who_leaves_right_after_writing_has_written(start_site, server):
    site = start_site(1, server=server, **NO_LIMIT)
    async with ChatClient(f"{site.ws_urls[0]}?name=ada") as ada:
        await ada.join()
        async with await RawSocket.open(f"{site.ws_urls[0]}?name=bob") as bob:
            for number in range(WRITTEN_AT_ONCE):
                await bob.send_text(json.dumps({"ModeCode": "message", "msg": f"{number}"}))
            await bob.send_frame(CLOSE, struct.pack("!H", 1000))
            for number in range(WRITTEN_AT_ONCE):
                await ada.until(lambda event, text=f"{number}": event.get("text") == text)
    assert texts(site) == [f"{number}" for number in range(WRITTEN_AT_ONCE)]


async def test_nothing_is_lost_when_everything_dies_at_once(site):
    async with ChatClient(f"{site.ws_urls[0]}?name=ada") as ada, ChatClient(f"{site.ws_urls[1]}?name=bob") as bob:
        await asyncio.gather(ada.join(), bob.join())
        await asyncio.gather(*(person.post(f"{number}") for number in range(5) for person in (ada, bob)))
        for program in (*site.processes, site.valkey):
            program.process.kill()
        for program in (*site.processes, site.valkey):
            program.process.wait()
    kept = texts(site)
    site.valkey.start()
    site.start(0)
    async with ChatClient(f"{site.ws_urls[0]}?name=ada") as ada:
        page = await ada.join()
        assert sorted(kept) == sorted([*map(str, range(5))] * 2)
        assert [message["text"] for message in page["messages"]] == kept


async def test_acknowledged_changes_survive_the_death_of_their_process(start_site):
    site = start_site(1)
    async with ChatClient(f"{site.ws_urls[0]}?name=ada") as ada:
        await ada.join()
        for text in ("to edit", "to delete", "to react to"):
            await ada.post(text)
        await ada.ask("edit", room="lobby", seq=1, text="edited")
        await ada.ask("delete", room="lobby", seq=2)
        ack = await ada.ask("react", room="lobby", seq=3, emoji="👍", on=True)
        assert ack["version"] == 6
        site.kill(0)
    assert rows(site, "SELECT text, version FROM chat_message ORDER BY seq") == [
        ("edited", 4),
        ("", 5),
        ("to react to", 6),
    ]
    [(reactions,)] = rows(site, "SELECT CAST(reactions AS TEXT) FROM chat_message WHERE seq = 3")
    assert json.loads(reactions) == {"👍": ["ada"]}


async def test_a_locked_database_is_unavailable_for_a_while_and_loses_nothing(site):
    """Reads do not wait behind writes; who writes is told when to try again, and gets it through once."""
    async with Person(site.ws_urls, "name=ada") as ada, Person(site.ws_urls[1:], "name=bob") as bob:
        await ada.says("before")
        with locked_database(site):
            ack = await ada.begins_to_say("while it is locked")
            assert (await bob.ask("history", room="lobby", before=9))["messages"]
            error = await ada.told("error")
            assert (error["code"], error["retry_after"] > 0) == ("unavailable", True)
        await ack
        await bob.sees("before", "while it is locked")
        assert ada.closes == bob.closes == []
    assert texts(site) == ["before", "while it is locked"]


async def test_a_database_that_drops_its_connections_is_found_again(site):
    async with Person(site.ws_urls, "name=ada") as ada, Person(site.ws_urls[1:], "name=bob") as bob:
        said = [f"{number}" for number in range(15)]
        for text in said:
            cut_database_connections(site)
            await ada.says(text)
        await bob.sees(*said)
        assert ada.closes == bob.closes == []
    assert texts(site) == said
