import asyncio
import time

import pytest

from chat.live.presence import Presence


@pytest.fixture
def replaced():
    return []


@pytest.fixture
async def presence(replaced):
    return Presence("here", lambda kind, word: None, lambda *change: None, replaced.append)


def apply_snapshot(presence, number=1, connections=(), places=(), going=(), draining=False):
    """What the process `there` has."""
    snapshot = {"number": number, "connections": [list(one) for one in connections], "draining": draining}
    presence.apply_snapshot("there", {**snapshot, "places": places, "going": going})


def opened_elsewhere(presence, *connections):
    apply_snapshot(presence, connections=connections)


async def test_the_newer_one_replaces_the_older_one(presence, replaced):
    presence.opened("first", "mia", 1, opened_at=100)
    presence.opened("second", "MIA", 1, opened_at=200)
    assert replaced == ["first"]


async def test_who_was_accepted_earlier_is_older_though_it_is_heard_of_later(presence, replaced):
    presence.opened("newer", "mia", 1, opened_at=200)
    presence.opened("older", "mia", 1, opened_at=100)
    assert replaced == ["older"]


async def test_a_newer_one_in_another_process_replaces_the_one_here(presence, replaced):
    presence.opened("here-1", "mia", 1, opened_at=100)
    opened_elsewhere(presence, ("there-1", "mia", 200, 1))
    assert replaced == ["here-1"]


async def test_an_older_one_in_another_process_replaces_nobody_here(presence, replaced):
    presence.opened("here-1", "mia", 1, opened_at=200)
    opened_elsewhere(presence, ("there-1", "mia", 100, 1))
    assert replaced == []


async def test_the_newest_of_a_name_stay_up_to_its_limit(presence, replaced):
    for number in range(5):
        presence.opened(str(number), "mia", 3, opened_at=number)
    assert set(replaced) == {"0", "1"}


async def test_who_is_back_before_it_was_told_that_they_left_is_told_of():
    told = asyncio.Queue()
    presence = Presence("here", lambda kind, word: None, lambda *change: told.put_nowait(change), lambda id: None)
    presence.entered(1, "mia")
    assert await told.get() == (1, ["mia"], [], 1)
    presence.left(1, "mia", True)
    assert presence.online(1) == []  # what somebody is answered who comes in now
    presence.entered(1, "mia")
    async with asyncio.timeout(20):
        assert await told.get() == (1, ["mia"], [], 1)


async def test_who_is_new_here_knows_who_is_going_elsewhere(presence):
    apply_snapshot(presence, going=[[1, "mia", 5]])
    assert presence.online(1) == ["mia"]


async def test_who_is_gone_here_is_not_back_because_another_process_says_later_that_they_are_going(presence):
    """Two processes drop a name within the same second, and in between one of them may say all."""
    apply_snapshot(presence, places=[["mia", [1]]])
    assert presence.online(1) == ["mia"]
    presence.heard_changes("there", {"number": 2, "changes": [["left", 1, "mia", True]]})
    apply_snapshot(presence, number=3, going=[[1, "mia", 0.5]])
    assert presence.online(1) == []


async def test_who_should_be_gone_by_now_is_not_said_to_be_going():
    said = []
    presence = Presence("here", lambda kind, word: said.append(word), lambda *change: None, lambda id: None)
    presence._going = {(1, "mia"): time.monotonic() - 1, (1, "ada"): time.monotonic() + 60}
    presence.publish_snapshot()
    assert [name for _, name, _ in said[0]["going"]] == ["ada"]


async def test_who_came_from_a_process_that_went_without_a_last_word_is_going_when_this_one_goes_too():
    """Or a process that starts meanwhile would not know them."""
    said = []
    presence = Presence("here", lambda kind, parcel: said.append(parcel), lambda *change: None, lambda id: None)
    apply_snapshot(presence, places=[["mia", [1]]])
    apply_snapshot(presence, number=2, places=[["mia", [1]]], draining=True)
    assert presence.online(1) == ["mia"]
    presence.entered(1, "mia")
    presence.drain()
    presence.left(1, "mia", False)
    presence.publish_snapshot()
    assert [place[:2] for place in said[-1]["going"]] == [[1, "mia"]]
