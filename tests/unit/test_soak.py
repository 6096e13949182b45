import pytest

from bench.soak import WARM_UP_MINUTES, Soaked

FLAT = Soaked(wanted=900, seen=900, lost=0, returns=9, memory_mb=[90.0] * WARM_UP_MINUTES + [100.0] * 5, left_mb=95)


def test_an_hour_in_which_every_delivery_was_exact_and_the_memory_flat_holds():
    assert FLAT.holds


@pytest.mark.parametrize(
    "fault",
    [
        {"seen": 901},
        {"seen": 899},
        {"lost": 1},
        {"memory_mb": [90.0] * WARM_UP_MINUTES + [100.0, 100.2, 100.4, 100.6]},
    ],
    ids=["doubled", "missing", "lost", "creeping"],
)
def test_an_hour_with_a_fault_does_not_hold(fault):
    assert not FLAT._replace(**fault).holds


def test_memory_counts_from_the_tenth_minute_on():
    filling = [50.0 + 4 * minute for minute in range(WARM_UP_MINUTES)]
    assert FLAT._replace(memory_mb=[*filling, 90.0, 90.0, 90.0]).creep_mb == 0
