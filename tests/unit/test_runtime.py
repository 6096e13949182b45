"""What passes between the parts of a process, and between processes."""

import pytest

from chat import limits
from chat.live import read_positions
from chat.messages import ledger
from chat.wire import verbs
from chat.wire.closes import Close
from rig.waiting import all_done
from tests.unit.stage import LOBBY, said


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(read_positions, "GONE_TOGETHER_S", 0)
    monkeypatch.setattr(read_positions, "PUBLISHED_TOGETHER_S", 0)


async def joined(process, *args, **kwargs):
    participant, socket = await process.connect(*args, **kwargs)
    participant.take_text(said(verbs.Join(room="lobby")))
    await all_done()
    return participant, socket


def reads(participant, seq=1):
    participant.take_text(said(verbs.Read(room="lobby", seq=seq)))


def says(participant, text):
    participant.take_text(said(verbs.Post(room="lobby", nonce=text, text=text)))


def texts(socket):
    return [event["text"] for event in socket.told("message")]


# Messages


async def test_what_is_written_here_is_seen_in_both_processes(process, other_process):
    alice, alice_socket = await joined(process)
    _, bob_socket = await joined(other_process, "bob", user_id=8)
    says(alice, "hello")
    await all_done()
    assert texts(alice_socket) == texts(bob_socket) == ["hello"]


async def test_without_the_courier_the_messages_of_this_process_are_seen_here(process, other_process):
    alice, alice_socket = await joined(process)
    _, bob_socket = await joined(other_process, "bob", user_id=8)
    process.runtime.link.is_cut = True
    says(alice, "hello")
    await all_done()
    assert (texts(alice_socket), texts(bob_socket)) == (["hello"], [])


async def test_what_a_newer_version_says_to_us_is_ignored(process, other_process):
    _, socket = await joined(process)
    other_process.runtime.link.publish("everybody", "from-the-future", {"x": 1})
    assert socket.code is None
    assert process.runtime.hub.room(LOBBY) is not None


async def test_typing_is_seen_in_the_other_process_and_gone_when_it_is_gone(process, other_process, monkeypatch):
    monkeypatch.setattr(limits, "TYPING_COALESCED_S", 0)
    alice, _ = await joined(process)
    _, bob_socket = await joined(other_process, "bob", user_id=8)
    for on in (True, False):
        alice.take_text(said(verbs.Typing(room="lobby", on=on)))
        await all_done()
    assert [(event.get("names"), event.get("stopped")) for event in bob_socket.told("typing")] == [
        (["alice"], None),
        (None, ["alice"]),
    ]


# Who is here


async def test_who_comes_is_told_to_those_who_look_at_the_room_only(process, monkeypatch):
    monkeypatch.setattr(limits, "PRESENCE_COALESCED_S", 0)
    _, looks_socket = await joined(process)
    elsewhere, elsewhere_socket = await joined(process, "bob", user_id=8)
    elsewhere.take_text(said(verbs.Look(rooms=[])))
    await joined(process, "eve", user_id=9)
    await all_done()
    assert "eve" in looks_socket.told("presence")[-1]["joined"]
    assert not [event for event in elsewhere_socket.told("presence") if "eve" in event["joined"]]
    elsewhere.take_text(said(verbs.Look(rooms=["lobby"])))
    await all_done()
    assert elsewhere_socket.told("looking")[-1]["online"] == {"lobby": {"count": 3, "names": ["alice", "bob", "eve"]}}


# Reading


async def test_where_one_has_read_reaches_ones_device_in_another_process(process, other_process, store):
    store.add("one")
    phone, _ = await joined(process)
    _, laptop = await other_process.connect()
    _, strangers = await other_process.connect("bob", user_id=8)
    reads(phone)
    await all_done()
    assert laptop.told("read") == [{"type": "read", "room": "lobby", "read": 1}]
    assert strangers.told("read") == []


async def test_two_devices_that_read_at_the_same_moment_go_forward_only(process, other_process, store):
    for number in range(5):
        store.add(str(number))
    phone, phone_socket = await joined(process)
    laptop, laptop_socket = await joined(other_process)
    reads(phone, 5)
    reads(laptop, 3)
    await all_done()
    assert [event["read"] for event in laptop_socket.told("read")] == [5]
    assert phone_socket.told("read") == []


@pytest.mark.parametrize("elsewhere", [False, True], ids=["in this process", "in another one"])
async def test_a_device_that_was_asleep_takes_nobody_back_however_late_it_reads(
    process, other_process, store, elsewhere
):
    """By then the position is written, and no process has it in mind."""
    for number in range(5):
        store.add(str(number))
    phone, phone_socket = await joined(process)
    laptop, laptop_socket = await joined(other_process if elsewhere else process)
    reads(phone, 5)
    await all_done()
    for each in (process, other_process):
        await long_after(each.runtime.positions)
    reads(laptop, 3)
    await all_done()
    assert [event["read"] for event in laptop_socket.told("read")] == [5]
    assert phone_socket.told("read") == []


async def long_after(positions):
    await positions.written()
    for _ in range(2):
        positions._aged_at = -limits.READ_POSITIONS_WRITTEN_S * 10
        positions._age_elsewhere()
    assert positions.of_user(7) == {}


async def test_what_one_read_on_another_device_is_in_hello_before_it_is_written(process, other_process, store):
    store.add("one")
    phone, _ = await joined(process)
    reads(phone)
    await all_done()
    assert store.read == {}
    _, laptop = await other_process.connect()
    assert laptop.events[0]["rooms"][0]["read"] == 1


async def test_a_room_read_for_the_first_time_is_in_hello_before_that_is_written(process, other_process, store):
    store.is_own = False
    store.add("one")
    phone, _ = await joined(process)
    reads(phone)
    await all_done()
    assert store.read == {}
    _, laptop = await other_process.connect()
    assert [(room["room"], room["read"]) for room in laptop.events[0]["rooms"]] == [("lobby", 1)]


async def test_ones_last_position_is_written_when_ones_last_connection_goes(process, store):
    store.add("one")
    phone, _ = await joined(process)
    laptop, _ = await joined(process)
    reads(phone)
    phone.close(is_by_peer=True)
    await all_done()
    assert store.read == {}
    laptop.close(is_by_peer=True)
    await all_done()
    assert store.read == {(7, LOBBY): 1}


# Connections


async def test_a_name_that_nobody_proves_is_in_one_place_only_and_the_newest_wins(process):
    _, older = await joined(process, by_name_alone=True)
    newer, newer_socket = await process.connect(by_name_alone=True)
    assert older.code is None, "not before the newer one has shown that it lives"
    newer.take_text(said(verbs.Heartbeat()))
    assert (older.code, newer_socket.code) == (Close.REPLACED, None)


async def test_a_connection_that_closes_twice_is_counted_out_once(process):
    first, _ = await joined(process)
    await joined(process)
    for _ in range(2):
        first.close(is_by_peer=True)
    assert len(process.runtime.connections) == 1
    assert process.runtime.presence.online(LOBBY) == ["alice"]


async def test_allowances_are_kept_while_somebody_is_connected_however_often_they_come_back(process, monkeypatch):
    monkeypatch.setattr(limits, "PAGES_BURST", 2)
    _, phone = await joined(process)
    _, laptop = await joined(process)
    assert phone.told("joined")
    assert laptop.told("joined")
    third, tablet = await process.connect()
    third.take_text(said(verbs.Join(room="lobby")))
    await all_done()
    assert [event["code"] for event in tablet.told("error")] == ["rate_limited"]


# A process that goes


async def test_a_process_that_goes_sends_everybody_away_and_finishes_what_is_written(process, store, monkeypatch):
    store.add("one")
    alice, alice_socket = await joined(process)
    _, bob_socket = await joined(process, "bob", user_id=8)
    reads(alice)
    says(alice, "last words")
    await process.runtime.drain()
    assert (alice_socket.code, bob_socket.code) == (Close.RESTARTING, Close.RESTARTING)
    assert store.head == 2
    assert store.read == {(7, LOBBY): 1}


async def test_a_connection_that_opens_while_the_process_goes_is_sent_away_at_once(process):
    await process.runtime.drain()
    _, socket = await process.connect()
    assert (socket.code, [event["type"] for event in socket.events]) == (Close.RESTARTING, ["bye"])


async def test_what_could_not_be_delivered_is_still_acknowledged(process, monkeypatch, caplog):
    """It is committed: a client that repeated it would only be told that it is a repeat."""
    alice, socket = await joined(process)
    write = ledger.write

    def written_and_undeliverable(entries):
        receipts, _ = write(entries)
        return receipts, [None]

    monkeypatch.setattr(ledger, "write", written_and_undeliverable)
    says(alice, "hello")
    await all_done()
    assert [ack["seq"] for ack in socket.told("ack")] == [1]
    assert "could not be delivered" in caplog.text
