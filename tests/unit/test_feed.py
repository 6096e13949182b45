import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from chat import limits
from chat.live.feed import Feed
from chat.wire.change import Change

MEMORY = 4


@pytest.fixture(autouse=True, scope="module")
def short_memory():
    """So short that it runs over all the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "RECENT_CHANGES", MEMORY)
        yield


def change(version, seq=None):
    return Change(version, seq or version, f"state {version}".encode())


def versions(changes):
    return [change.version for change in changes]


def test_what_is_due_is_delivered_at_once():
    feed = Feed(head=7)
    assert versions(feed.take([change(8), change(9)])) == [8, 9]
    assert feed.head == 9


def test_what_comes_early_waits_for_what_is_before_it():
    feed = Feed(head=0)
    assert feed.take([change(3), change(2)]) == []
    assert feed.has_gap
    assert versions(feed.take([change(1)])) == [1, 2, 3]
    assert not feed.has_gap


def test_what_comes_twice_is_delivered_once():
    feed = Feed(head=0)
    assert versions(feed.take([change(1), change(1)])) == [1]
    assert feed.take([change(1)]) == []


def test_a_gap_is_filled_with_states_and_what_was_held_follows():
    feed = Feed(head=2)
    feed.take([change(6), change(7)])
    assert versions(feed.fill([change(5, seq=1), change(4)], head=5)) == [4, 5]
    assert versions(feed.take([])) == [6, 7]


def test_a_fill_that_comes_late_repeats_nothing():
    feed = Feed(head=0)
    feed.take([change(1), change(2), change(3)])
    assert feed.fill([change(1), change(3)], head=3) == []
    assert feed.head == 3


def test_a_fill_without_states_moves_on_too():
    feed = Feed(head=3)
    assert feed.fill([], head=5) == []
    assert versions(feed.take([change(6)])) == [6]


def test_who_comes_back_gets_what_changed_since():
    feed = Feed(head=0)
    feed.take([change(1), change(2), change(3, seq=1)])
    assert versions(feed.since(0)) == [2, 3]
    assert versions(feed.since(2)) == [3]
    assert feed.since(3) == []


def test_memory_does_not_reach_back_further_than_it_holds():
    feed = Feed(head=0)
    feed.take([change(version) for version in range(1, MEMORY + 3)])
    assert feed.since(1) is None
    assert versions(feed.since(2)) == [3, 4, 5, 6]


def test_nobody_can_come_back_from_the_future():
    assert Feed(head=3).since(4) is None


def test_a_feed_over_earlier_states_remembers_them():
    feed = Feed(head=9, reach=5, recent=[change(6, seq=2), change(9)])
    assert versions(feed.since(5)) == [6, 9]
    assert feed.since(4) is None


@given(st.permutations(range(1, 8)), st.lists(st.integers(1, 7)))
def test_any_order_with_any_repeats_is_delivered_in_order_once(order, repeats):
    feed, delivered = Feed(head=0), []
    for version in [*repeats, *order, *repeats]:
        delivered += feed.take([change(version)])
    assert versions(delivered) == list(range(1, 8))


class AnyWayOfEvents(RuleBasedStateMachine):
    """A room in a database, and a feed that hears of its changes late, twice, in any order, or never.

    Whatever is missing is read from the database: pages of states, which may be old when they are taken.
    """

    pages = Bundle("pages")

    def __init__(self):
        super().__init__()
        self.history = []
        self.feed = Feed(head=0)
        self.delivered = []

    @property
    def states(self):
        """The database: each message at its latest change."""
        return {change.seq: change for change in self.history}

    @rule()
    def somebody_posts(self):
        self.history.append(change(len(self.history) + 1))

    @precondition(lambda self: self.history)
    @rule(data=st.data())
    def somebody_changes_a_message(self, data):
        seq = data.draw(st.sampled_from(sorted(self.states)))
        self.history.append(change(len(self.history) + 1, seq))

    @precondition(lambda self: self.history)
    @rule(data=st.data())
    def some_changes_arrive(self, data):
        arrived = data.draw(st.lists(st.sampled_from(self.history), max_size=6))
        before = self.feed.head
        due = self.feed.take(arrived)
        assert versions(due) == list(range(before + 1, self.feed.head + 1))
        self.delivered += due

    @rule(target=pages, limit=st.integers(1, 5))
    def a_page_is_read(self, limit):
        found = sorted(state for state in self.states.values() if state.version > self.feed.head)
        page = found[:limit]
        return page, page[-1].version if len(found) > limit else len(self.history)

    @rule(page=pages)
    def a_page_is_taken(self, page):
        self.delivered += self.feed.fill(*page)
        self.delivered += self.feed.take([])

    @rule()
    def all_that_is_missing_is_read(self):
        self.a_page_is_taken((list(self.states.values()), len(self.history)))
        assert self.feed.head == len(self.history)
        assert not self.feed.has_gap
        seen = {change.seq: change for change in self.delivered}
        assert seen == self.states

    @invariant()
    def everything_is_delivered_in_order_and_once(self):
        assert versions(self.delivered) == sorted(set(versions(self.delivered)))

    @invariant()
    def nothing_up_to_the_head_is_forgotten(self):
        seen = {change.seq: change for change in self.delivered}
        for state in self.states.values():
            assert state.version > self.feed.head or seen[state.seq] == state

    @invariant()
    def who_comes_back_from_anywhere_gets_all_that_is_still_true(self):
        for after in range(len(self.history) + 2):
            found = self.feed.since(after)
            if found is None:
                assert after < self.feed.reach or after > self.feed.head
                continue
            assert versions(found) == sorted(set(versions(found)))
            assert all(after < change.version <= self.feed.head for change in found)
            assert len({change.seq for change in found}) == len(found)
            wanted = {s for s in self.states.values() if after < s.version <= self.feed.head}
            assert wanted <= set(found)

    @invariant()
    def the_latest_messages_are_the_latest_or_unknown(self):
        for count in range(1, MEMORY + 2):
            found = self.feed.latest(count)
            if found is not None:
                assert len(found) == min(count, len({change.seq for change in self.delivered}))
                assert [change.seq for change in found] == sorted(change.seq for change in found)
                oldest = found[0].seq if found else 0
                known = [s for s in self.states.values() if s.version <= self.feed.head and s.seq >= oldest]
                assert set(known) <= set(found)

    @invariant()
    def memory_is_bounded(self):
        assert len(self.feed.since(self.feed.reach) or ()) <= MEMORY


AnyWayOfEvents.TestCase.settings = settings(max_examples=100, stateful_step_count=30)
test_any_way_of_events = AnyWayOfEvents.TestCase
