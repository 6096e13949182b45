"""What a client may ask, as one process does it: who hears what, how often, and what is refused."""

import pytest

from chat import limits
from chat.live import rate_limits
from chat.sockets import places, requests
from chat.wire import verbs
from chat.wire.dialects import PlainText
from rig.clock import Clock
from rig.waiting import all_done
from tests.unit.stage import said


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    for module in (requests, places, rate_limits):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(limits, "TYPING_COALESCED_S", 0)
    return clock


async def asks(participant, *several):
    for verb in several:
        participant.take_text(said(verb))
    await all_done()


async def joined(process, *args, **kwargs):
    participant, socket = await process.connect(*args, **kwargs)
    await asks(participant, verbs.Join(id="j", room="lobby"))
    return participant, socket


@pytest.fixture
async def alice(process, store, clock):
    return await joined(process)


@pytest.fixture
async def bob(process, alice):
    return await joined(process, "bob", user_id=8)


def typing(socket):
    return [(event.get("names", []), event.get("stopped", [])) for event in socket.told("typing")]


# Typing


async def test_somebody_who_types_on_is_told_of_once_in_a_while(alice, bob, clock):
    for _ in range(3):
        await asks(alice[0], verbs.Typing(room="lobby"))
    assert typing(bob[1]) == [(["alice"], [])]
    clock.advance(limits.TYPING_INTERVAL_S)
    await asks(alice[0], verbs.Typing(room="lobby"))
    assert len(typing(bob[1])) == 2


async def test_a_draft_that_is_gone_is_told_at_once_and_a_new_one_too(alice, bob):
    for on in (True, False, False, True):
        await asks(alice[0], verbs.Typing(room="lobby", on=on))
    assert typing(bob[1]) == [(["alice"], []), ([], ["alice"]), (["alice"], [])]


async def test_nobody_types_in_a_room_where_they_are_not(process, alice, bob):
    eve, socket = await process.connect("eve", user_id=9)
    await asks(eve, verbs.Typing(room="lobby"))
    assert [error["code"] for error in socket.told("error")] == ["not_found"]
    assert typing(bob[1]) == []


# Joining, looking, leaving


async def test_the_answer_to_a_join_says_who_is_here_without_oneself_missing(alice, bob):
    assert bob[1].told("joined")[0]["online"] == {"count": 2, "names": ["alice", "bob"]}


async def test_of_a_big_room_only_the_count_is_said(alice, process, monkeypatch):
    monkeypatch.setattr(limits, "NAMES_SHOWN_LIMIT", 1)
    _, socket = await joined(process, "bob", user_id=8)
    assert socket.told("joined")[0]["online"] == {"count": 2}


async def test_looking_says_who_is_in_the_rooms_that_one_is_in(alice, bob):
    await asks(alice[0], verbs.Look(id=3, rooms=["lobby", "garden"]))
    online = {"lobby": {"count": 2, "names": ["alice", "bob"]}}
    assert alice[1].told("looking") == [{"type": "looking", "id": 3, "online": online}]


async def test_leaving_is_answered_and_nothing_more_is_heard(alice, bob, store):
    await asks(bob[0], verbs.Leave(id=4, room="lobby"))
    await asks(alice[0], verbs.Post(room="lobby", nonce="n", text="unheard"))
    assert bob[1].told("left") == [{"type": "left", "id": 4, "room": "lobby"}]
    assert bob[1].told("message") == []
    assert len(alice[1].told("message")) == 1


# History


@pytest.mark.parametrize(("limit", "count"), [(0, 1), (3, 3), (2**53, 5)])
async def test_a_page_of_history_is_within_bounds(alice, store, limit, count, monkeypatch):
    monkeypatch.setattr(limits, "HISTORY_PAGE_LIMIT", 5)
    for number in range(9):
        store.add(str(number))
    await asks(alice[0], verbs.History(id=5, room="lobby", before=9, limit=limit))
    (page,) = alice[1].told("history")
    assert [message["seq"] for message in page["messages"]] == list(range(9 - count, 9))
    assert page["more"]


async def test_pages_are_limited_for_a_person_and_not_for_a_connection(alice, process, clock, monkeypatch):
    monkeypatch.setattr(limits, "PAGES_BURST", 1)
    carol, socket = await process.connect("carol", user_id=10)
    history = verbs.History(room="lobby", before=9)
    await asks(carol, history, history)
    again, again_socket = await process.connect("carol", user_id=10)
    await asks(again, history)
    assert [error["code"] for error in socket.told("error")] == ["rate_limited"]
    assert [error["code"] for error in again_socket.told("error")] == ["rate_limited"]
    clock.advance(1 / limits.PAGES_PER_S)
    await asks(again, history)
    assert len(again_socket.told("history")) == 1


async def test_what_is_refused_by_the_limit_of_changes_is_not_written(alice, store, settings, monkeypatch):
    monkeypatch.setattr(limits, "POSTS_BURST", 1)
    settings.CHAT_POSTS_PER_S = 1
    store.add("mine")
    edit = verbs.Edit(room="lobby", seq=1, text="edited", nonce="n")
    await asks(alice[0], edit, edit)
    (error,) = alice[1].told("error")
    assert (error["code"], error["nonce"]) == ("rate_limited", "n")
    assert error["retry_after"] > 0
    assert store.head == 2


# Clients that have lost something


async def test_a_client_that_stays_ahead_of_the_room_is_told_to_load_afresh(alice, store, clock):
    store.add("one")
    for _ in range(2):
        assert alice[1].told("resync") == []
        await asks(alice[0], verbs.Heartbeat(at={"lobby": 4}))
        clock.advance(limits.OUT_OF_STEP_S)
    (resync,) = alice[1].told("resync")
    assert (resync["room"], resync["reason"]) == ("lobby", "your position is ahead of the room")


# Simple dialects


async def test_a_person_at_a_command_line_is_told_who_is_here(process, alice, bob):
    carol, socket = await process.connect("carol", user_id=10, dialect=PlainText, room="lobby")
    carol.take_text("/who")
    assert socket.frames[-1].payload.decode() == "Here: alice, bob, carol"
    carol.take_text("/quit")
    assert socket.code == 1000
