"""Who is connected, who has only just come, who is silent, and a process that goes."""

import asyncio

import pytest

from accounts.identity import Person
from chat import limits
from chat.live import arrivals, drain
from chat.live.arrivals import Arrival, Newcomers, all_arrived
from chat.live.connections import Connections
from chat.live.drain import Drain
from chat.live.silence import CHECK_INTERVAL_S, Silence
from chat.wire.closes import Close
from chat.wire.events import ReadMoved
from rig.waiting import all_done

EVENT = ReadMoved(room="lobby", read=1)


class Connected:
    """A connection that remembers what it was told."""

    def __init__(self, id="1", user_id=7, heard_at=0.0, sends_heartbeats=True):
        self.id, self.person = id, Person(user_id, "alice")
        self.heard_at, self.sends_heartbeats = heard_at, sends_heartbeats
        self.told, self.byes = [], []

    def read_moved(self, event):
        self.told.append(event)

    def bye(self, code, retry_after_s=None):
        self.byes.append((code, retry_after_s))


def connected_to(connections, *several):
    for one in several:
        connections.add(one)
    return connections


@pytest.fixture
def connections():
    return Connections("web-1")


# Connections


def test_no_two_connections_of_all_processes_have_one_id(connections):
    ids = {connections.next_id(), connections.next_id(), Connections("web-2").next_id()}
    assert ids == {"web-1-1", "web-1-2", "web-2-1"}


def test_where_one_has_read_is_told_on_every_connection_but_the_one_that_said_it(connections):
    phone, laptop, stranger = Connected("1"), Connected("2"), Connected("3", user_id=8)
    connected_to(connections, phone, laptop, stranger).read_moved(7, EVENT, except_id="1")
    assert [one.told for one in (phone, laptop, stranger)] == [[], [EVENT], []]


def test_a_connection_that_left_is_told_nothing_and_is_not_counted(connections):
    phone, laptop = Connected("1"), Connected("2")
    connected_to(connections, phone, laptop)
    assert [connections.remove(phone), connections.remove(phone)] == [True, False]
    connections.read_moved(7, EVENT)
    assert (phone.told, laptop.told, len(connections), connections.get("1")) == ([], [EVENT], 1, None)


def test_connections_may_leave_while_all_are_told(connections):
    connected_to(connections, *(Connected(str(number)) for number in range(3)))
    for connected in connections:
        connections.remove(connected)
    assert len(connections) == 0


def test_users_who_have_gone_take_no_memory(connections):
    for user_id in range(100):
        connected = Connected(str(user_id), user_id)
        connections.add(connected)
        connections.remove(connected)
        assert connections.of_user(user_id) == []
    assert len(connections._of_user) == 0


# Newcomers


class Counted(Newcomers):
    def __init__(self):
        self.counted = []
        super().__init__(lambda connected, accepted_at: self.counted.append((connected.id, accepted_at)))


@pytest.fixture
def newcomers(monkeypatch):
    monkeypatch.setattr(limits, "QUIET_NEWCOMER_S", 0)
    return Counted()


async def test_a_newcomer_counts_from_its_first_sign_of_life_on_and_is_as_new_as_its_accept(newcomers):
    alice = Connected()
    newcomers.add(alice, accepted_at=5.0)
    await all_done()
    assert newcomers.counted == []
    for _ in range(2):
        newcomers.heard_from(alice)
    assert newcomers.counted == [("1", 5.0)]


async def test_a_newcomer_that_is_gone_before_never_counted(newcomers):
    alice = Connected()
    newcomers.add(alice, accepted_at=5.0)
    assert [newcomers.discard(alice), newcomers.discard(alice)] == [True, False]
    newcomers.heard_from(alice)
    assert newcomers.counted == []


async def test_a_newcomer_that_has_nothing_to_say_counts_when_it_is_still_here(monkeypatch):
    monkeypatch.setattr(limits, "QUIET_NEWCOMER_S", 0.01)
    stays, leaves, counted = Connected("1", sends_heartbeats=False), Connected("2", sends_heartbeats=False), []
    enough = asyncio.Event()

    def count(connected, accepted_at):
        counted.append(connected.id)
        enough.set()

    newcomers = Newcomers(count)
    for one in (leaves, stays):
        newcomers.add(one, accepted_at=5.0)
    newcomers.discard(leaves)
    await asyncio.wait_for(enough.wait(), 20)
    assert counted == ["1"]


async def test_a_process_that_was_suspended_does_not_take_being_here_for_life(newcomers):
    """The disconnect of a client that gave up meanwhile may still be unread."""
    alice = Connected(sends_heartbeats=False)
    newcomers._accepted_at[alice] = 5.0
    long_ago = asyncio.get_running_loop().time() - 60
    newcomers._is_still_here(alice, due=long_ago)
    assert newcomers.counted == []
    await all_done()
    newcomers.discard(alice)


# Arrivals


async def test_a_drain_waits_for_those_who_are_at_the_door():
    with Arrival():
        waiting = asyncio.create_task(all_arrived())
        await all_done()
        assert not waiting.done()
    await waiting


async def test_a_drain_does_not_wait_for_ever(monkeypatch):
    monkeypatch.setattr(arrivals, "ARRIVAL_PATIENCE_S", 0)
    with Arrival():
        await all_arrived()


def test_an_arrival_that_fails_is_under_way_no_longer():
    with pytest.raises(ZeroDivisionError), Arrival() as arrival:
        1 / 0  # noqa: B018 (on purpose)
    assert arrival not in Arrival.under_way


# A process that goes


def test_a_process_that_goes_sends_everybody_away_at_times_of_their_own(connections, monkeypatch):
    monkeypatch.setattr(drain, "COME_BACK_PER_S", 10)
    everybody = [Connected(str(number), number) for number in range(20)]
    going = Drain(connected_to(connections, *everybody))
    assert not going.has_begun
    going.begin()
    assert going.has_begun
    codes, times_s = {one.byes[0][0] for one in everybody}, {one.byes[0][1] for one in everybody}
    assert codes == {Close.RESTARTING}
    assert len(times_s) == 20
    assert drain.COME_BACK_S <= min(times_s) <= max(times_s) <= drain.COME_BACK_S + drain.COME_BACK_SPREAD_S


def test_a_few_people_are_back_at_once(connections):
    alice = Connected()
    Drain(connected_to(connections, alice)).begin()
    assert alice.byes[0][1] <= drain.COME_BACK_S + 1 / drain.COME_BACK_PER_S


# Silence


@pytest.fixture
def silence(connections):
    return Silence(connections)


NOW = 1_000.0
TOO_LONG_AGO = NOW - limits.HEARTBEAT_DEADLINE_S - 0.1


def test_a_connection_that_promised_heartbeats_and_is_silent_is_closed(silence, connections):
    silent, lively = Connected("1", heard_at=TOO_LONG_AGO), Connected("2", heard_at=TOO_LONG_AGO + 0.2)
    connected_to(connections, silent, lively)
    silence.check(NOW, suspended_s=0)
    assert (silent.byes, lively.byes) == ([(Close.HEARTBEAT_MISSED, None)], [])


def test_a_connection_that_promised_none_may_be_silent(silence, connections):
    quiet = Connected(heard_at=TOO_LONG_AGO, sends_heartbeats=False)
    connected_to(connections, quiet)
    silence.check(NOW, suspended_s=0)
    assert quiet.byes == []


def test_nobody_is_closed_for_the_time_in_which_this_process_was_suspended(silence, connections):
    alice = Connected(heard_at=TOO_LONG_AGO)
    connected_to(connections, alice)
    silence.check(NOW, suspended_s=CHECK_INTERVAL_S + 0.1)
    assert alice.byes == []
    silence.check(NOW + limits.HEARTBEAT_DEADLINE_S, suspended_s=0)
    assert alice.byes == [(Close.HEARTBEAT_MISSED, None)]


def test_a_check_that_is_a_little_late_forgives_nothing(silence, connections):
    alice = Connected(heard_at=TOO_LONG_AGO)
    connected_to(connections, alice)
    silence.check(NOW, suspended_s=CHECK_INTERVAL_S / 2)
    assert len(alice.byes) == 1
