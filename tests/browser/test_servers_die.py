"""Server processes that are killed, restarted and drained while people talk."""

import re
import signal

import pytest

from rig.staging import Place, rows
from tests.browser.people import Chat


@pytest.fixture
def place(site):
    """A site of its own, because its processes die."""
    return Place(site, 0)


async def two_people_who_talk(chat: Chat):
    alice, bob = await chat.enter("alice", process=0), await chat.enter("bob", process=1)
    await alice.says("one")
    await bob.sees("one")
    await bob.says("two")
    await alice.sees("two")
    return alice, bob


async def test_nothing_is_lost_or_doubled_when_a_process_is_killed(chat):
    alice, bob = await two_people_who_talk(chat)
    chat.kill(0)
    await bob.says("three")
    await alice.is_told(re.compile("Reconnecting"))
    await alice.says("four", "five")
    await alice.sees_on_its_way("four", "five")
    chat.start(0)
    await bob.sees_sent("four", "five")
    for person in (alice, bob):
        await person.sees_just("one", "two", "three", "four", "five")
        await person.sees_sent("one", "two", "three", "four", "five")
    await alice.is_told("Online")
    assert chat.place.texts == ["one", "two", "three", "four", "five"]


async def test_a_restart_shows_nobody_an_error(chat):
    alice, bob = await two_people_who_talk(chat)
    chat.will_be_missed(0)
    chat.site.processes[0].kill(signal.SIGTERM)
    await alice.says("three")
    chat.start(0)
    await bob.says("four")
    await alice.sees_sent("one", "two", "three", "four")
    await bob.sees_sent("one", "two", "three", "four")
    assert await alice.reads() == await bob.reads()
    assert set(await alice.states()) == {"connecting", "online", "waiting"}
    assert await bob.states() == ["connecting", "online"]
    await alice.sees_people(alice.name, bob.name)


async def test_a_restored_database_is_shown_as_it_is(start_site, browser):
    site = start_site(1)
    chat = Chat(Place(site, 0), browser)
    alice = await chat.enter("alice")
    await alice.says("kept", "lost in the backup")
    await alice.sees_sent("kept", "lost in the backup")
    chat.kill(0)
    rows(site, "DELETE FROM chat_message WHERE text = 'lost in the backup'")
    rows(site, f"UPDATE chat_room SET head = 1, epoch = 'restored' WHERE slug = '{chat.room}'")
    chat.start(0)
    await alice.is_told("Online")
    await alice.sees_just("kept")
    await alice.says("and on")
    await alice.sees_sent("kept", "and on")
    await chat.end()
    assert chat.complaints == []
