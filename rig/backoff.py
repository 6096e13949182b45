"""How long somebody waits before the next try."""

import random
from typing import Any

BASE_S = 0.5
CAP_S = 3.0  # a page waits up to 20 s; nobody who tests wants to


def backoff_s(attempt: int, chance: Any = random) -> float:
    """Full jitter over a window that doubles, up to the cap."""
    return min(CAP_S, BASE_S + chance.random() * BASE_S * 2 ** min(attempt, 30))
