"""One connection from hello to bye, over a process without a database, a courier or a socket."""

import asyncio

import pytest

from chat import limits
from chat.live import catch_up, read_positions
from chat.messages import ledger
from chat.wire import events, verbs
from chat.wire.closes import Close
from chat.wire.dialects import PlainText
from chat.wire.refusals import Refusal
from rig.waiting import all_done, turns
from tests.unit.stage import LOBBY, said

JOIN = said(verbs.Join(id=1, room="lobby"))


def post(number):
    return said(verbs.Post(id=number, room="lobby", nonce=f"n{number}", text=f"text {number}"))


async def joined(process, *args, **kwargs):
    participant, socket = await process.connect(*args, **kwargs)
    participant.take_text(JOIN)
    await all_done()
    assert socket.told("joined")
    return participant, socket


# From hello to bye


async def test_hello_comes_first_and_names_the_rooms_with_what_is_unread(process, store):
    store.add("one")
    store.add("two")
    store.read[7, LOBBY] = 1
    participant, socket = await process.connect()
    hello = socket.events[0]
    assert (hello["type"], hello["name"], hello["connection"]) == ("hello", "alice", participant.id)
    assert hello["rooms"] == [{"room": "lobby", "title": "Lobby", "head": 2, "last": 2, "read": 1}]


async def test_what_is_told_while_the_rooms_are_read_comes_behind_hello(process, store):
    participant, socket = process.arrive()
    store.slow_down()
    opening = participant.open(accepted_at=1.0)
    opening.send(None)
    participant.tell(events.RoomChanged(room="lobby", title="Renamed"))
    assert socket.events == []
    opening.close()
    store.answer()
    await participant.open(accepted_at=1.0)
    assert [event["type"] for event in socket.events] == ["hello", "room"]


async def test_a_connection_that_is_sent_away_before_its_hello_hears_why(process, store):
    participant, socket = process.arrive()
    participant.bye(Close.RESTARTING, 1.5)
    assert socket.events == [{"type": "bye", "code": 4200, "reason": "restarting", "retry_after": 1.5}]
    assert socket.code == Close.RESTARTING


async def test_nothing_is_done_for_a_connection_that_was_sent_away(process, store):
    participant, _ = await joined(process)
    participant.bye(Close.REPLACED)
    participant.take_text(post(1))
    await all_done()
    assert store.head == 0


async def test_a_peer_that_leaves_right_after_writing_is_not_robbed_of_it(process, store):
    participant, _ = await joined(process)
    store.slow_down()
    participant.take_text("\n".join([post(1), said(verbs.History(room="lobby", before=9)), post(2)]))
    participant.close(is_by_peer=True)
    store.answer()
    await all_done()
    assert store.head == 2


async def test_what_waits_is_not_written_where_we_closed(process, store):
    participant, _ = await joined(process)
    store.slow_down()
    participant.take_text("\n".join([said(verbs.History(room="lobby", before=9)), post(1)]))
    participant.close(is_by_peer=False)
    store.answer()
    await all_done()
    assert store.head == 0


async def test_a_connection_that_is_over_is_in_no_room_and_in_no_count(process):
    participant, _ = await joined(process)
    process.runtime.hub.room(LOBBY)
    participant.close(is_by_peer=True)
    assert process.runtime.hub.room(LOBBY) is None
    assert len(process.runtime.connections) == 0


async def test_a_reader_who_is_too_slow_is_closed_and_told_nothing_more(process):
    participant, socket = await joined(process)
    socket.is_read = False
    participant.tell(events.RoomChanged(room="lobby", title="Renamed"))
    assert socket.code == Close.TOO_SLOW


# What comes in


async def test_a_heartbeat_is_answered_though_the_database_does_not_answer(process, store):
    participant, socket = await joined(process)
    store.slow_down()
    participant.take_text(said(verbs.History(room="lobby", before=9)))
    participant.take_text(said(verbs.Heartbeat(id=5)))
    assert [event["id"] for event in socket.told("heartbeat")] == [5]
    store.answer()


async def test_an_ack_comes_after_the_message_was_handed_to_the_room(process):
    participant, socket = await joined(process)
    participant.take_text(post(1))
    await all_done()
    (message,), (ack,) = socket.told("message"), socket.told("ack")
    assert (ack["id"], ack["seq"], ack["nonce"]) == (1, 1, "n1")
    assert message["text"] == "text 1"


async def test_a_broken_line_is_one_error_and_spoils_no_other_line(process, store):
    participant, socket = await joined(process)
    participant.take_text("\n".join(["{", post(1)]))
    await all_done()
    assert [event["code"] for event in socket.told("error")] == ["bad_json"]
    assert store.head == 1


async def test_a_frame_that_is_too_long_is_refused_whole(process, store):
    participant, socket = await joined(process)
    participant.take_text(post(1) + " " * limits.FRAME_LIMIT_BYTES)
    assert [event["code"] for event in socket.told("error")] == ["too_long"]
    assert store.head == 0


async def test_a_client_that_goes_on_breaking_the_protocol_is_closed(process):
    participant, socket = await joined(process)
    for _ in range(limits.BROKEN_FRAMES_PER_MINUTE):
        participant.take_text("{")
    assert socket.code is None
    participant.take_text("{")
    assert socket.code == Close.PROTOCOL_BROKEN


async def test_a_client_that_never_slows_down_is_closed(process, monkeypatch):
    participant, socket = await joined(process)
    monkeypatch.setattr(ledger, "write", lambda entries: ([Refusal("rate_limited", "slower")] * len(entries), []))
    for number in range(limits.RATE_LIMITED_PER_MINUTE + 1):
        assert socket.code is None
        participant.take_text(post(number))
        await all_done()
    assert socket.code == Close.RATE_LIMITED
    assert socket.told("error")[0]["nonce"] == "n0"


async def test_a_fault_of_ours_is_logged_and_told_as_one_and_ends_nothing(process, caplog, monkeypatch):
    participant, socket = await joined(process)

    async def fail(*_):
        raise KeyError("a fault of ours")

    monkeypatch.setattr(catch_up, "page", fail)
    participant.take_text(JOIN)
    await all_done()
    (error,) = socket.told("error")
    assert (error["id"], error["code"]) == (1, "internal")
    assert "KeyError" in caplog.text
    assert "fault" not in error["message"]
    assert socket.code is None


async def test_a_database_that_is_away_is_a_reason_to_come_back_and_says_for_what(process, store):
    participant, socket = await joined(process)
    store.problem = Refusal("unavailable", "away", retry_after=2.0)
    participant.take_text(post(1))
    await all_done()
    (error,) = socket.told("error")
    assert (error["code"], error["retry_after"], error["nonce"]) == ("unavailable", 2.0, "n1")


# Simple dialects


async def test_a_simple_dialect_has_nothing_to_do_where_its_room_is_not(process, store):
    store.is_there = False
    _, socket = await process.connect(dialect=PlainText, room="lobby")
    assert socket.code == Close.FORBIDDEN


async def test_a_simple_dialect_is_closed_with_its_only_room(process):
    participant, socket = await process.connect(dialect=PlainText, room="lobby")
    participant.removed_from(LOBBY)
    assert socket.code == Close.FORBIDDEN


async def test_a_room_that_was_taken_away_is_told_and_silent_from_then_on(process):
    participant, socket = await joined(process)
    await process.connect("bob", user_id=8)
    participant.removed_from(LOBBY)
    assert socket.told("left") == [{"type": "left", "room": "lobby", "reason": "removed"}]
    assert process.runtime.hub.room(LOBBY) is None
    assert socket.code is None


# Reading


async def test_where_one_has_read_reaches_the_other_devices_of_this_process_and_not_the_reader(process, store):
    store.add("one")
    phone, phone_socket = await joined(process)
    _, laptop_socket = await process.connect()
    _, strangers_socket = await process.connect("bob", user_id=8)
    phone.take_text(said(verbs.Read(room="lobby", seq=1)))
    assert laptop_socket.told("read") == [{"type": "read", "room": "lobby", "read": 1}]
    assert phone_socket.told("read") == strangers_socket.told("read") == []


async def test_reading_the_same_again_is_told_to_nobody(process, store):
    store.add("one")
    phone, _ = await joined(process)
    _, laptop_socket = await process.connect()
    for _ in range(3):
        phone.take_text(said(verbs.Read(room="lobby", seq=1)))
    await turns()
    assert len(laptop_socket.told("read")) == 1


async def test_a_reader_who_has_not_joined_is_heard_as_well(process, store):
    store.add("one")
    phone, _ = await process.connect()
    _, laptop_socket = await process.connect()
    phone.take_text(said(verbs.Read(room="lobby", seq=1)))
    await all_done()
    assert [event["read"] for event in laptop_socket.told("read")] == [1]


async def test_a_first_reading_in_a_room_that_is_not_in_hello_reaches_a_device_that_is_coming(
    process, other_process, store, monkeypatch
):
    """Hello has as many rooms as it may have."""
    monkeypatch.setattr(read_positions, "PUBLISHED_TOGETHER_S", 0)
    store.is_hello_full = True
    store.add("one")
    phone, _ = await joined(other_process)
    laptop, socket = process.arrive()
    store.slow_down()
    opening = asyncio.create_task(laptop.open(accepted_at=1.0))
    await all_done()
    phone.take_text(said(verbs.Read(room="lobby", seq=1)))
    await all_done()
    store.answer()
    await opening
    assert [event["type"] for event in socket.events] == ["hello", "read"]


@pytest.mark.parametrize("moment", range(6))
@pytest.mark.parametrize("elsewhere", [False, True], ids=["in this process", "in another one"])
async def test_a_device_that_comes_while_another_one_reads_knows_how_far(
    process, other_process, store, elsewhere, moment, monkeypatch
):
    """Before its rooms are read, while they are, and before its hello: whenever, it is not left behind."""
    monkeypatch.setattr(read_positions, "PUBLISHED_TOGETHER_S", 0)
    store.add("one")
    reader = other_process if elsewhere else process
    phone, _ = await joined(reader)
    laptop, socket = process.arrive()
    store.slow_down()
    opening = asyncio.create_task(laptop.open(accepted_at=1.0))
    await turns(moment)
    phone.take_text(said(verbs.Read(room="lobby", seq=1)))
    store.answer()
    await opening
    await all_done()
    known = [socket.events[0]["rooms"][0]["read"], *(event["read"] for event in socket.told("read"))]
    assert known in ([1], [0, 1]), "once, and no more is said of it"
