import pytest

from chat.live import rate_limits
from chat.live.rate_limits import Allowance, Offences
from chat.wire.refusals import Refusal
from rig.clock import Clock


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(rate_limits, "time", clock)
    return clock


def is_refused(allowance):
    try:
        allowance.spend()
    except Refusal:
        return True
    return False


# Offences a minute


def test_bears_as_many_offences_as_the_limit(clock):
    offences = Offences(3)
    assert [offences.add() for _ in range(4)] == [False, False, False, True]


def test_stays_lost_while_the_offences_go_on(clock):
    offences = Offences(1)
    assert [offences.add() for _ in range(4)] == [False, True, True, True]


def test_forgets_what_is_a_minute_old(clock):
    offences = Offences(2)
    offences.add()
    offences.add()
    clock.advance(60)
    assert not offences.add()


def test_counts_any_minute_not_the_calendars(clock):
    offences = Offences(2)
    offences.add()
    clock.advance(40)
    offences.add()
    clock.advance(19.9)
    assert offences.add()


def test_bears_a_slow_offender_for_ever(clock):
    offences = Offences(2)
    for _ in range(100):
        assert not offences.add()
        clock.advance(30)


# Requests a second


def test_allows_a_burst_and_no_more(clock):
    allowance = Allowance(rate_per_s=5, burst=3)
    assert [is_refused(allowance) for _ in range(5)] == [False, False, False, True, True]


def test_says_when_the_next_one_is_allowed(clock):
    allowance = Allowance(rate_per_s=4, burst=1)
    allowance.spend()
    with pytest.raises(Refusal) as caught:
        allowance.spend()
    assert caught.value.code == "rate_limited"
    clock.advance(caught.value.retry_after)
    allowance.spend()


def test_allows_the_rate_for_ever(clock):
    allowance = Allowance(rate_per_s=4, burst=1)
    for _ in range(100):
        allowance.spend()
        clock.advance(0.25)


def test_saves_up_no_more_than_a_burst(clock):
    allowance = Allowance(rate_per_s=5, burst=3)
    clock.advance(3600)
    assert [is_refused(allowance) for _ in range(4)] == [False, False, False, True]
