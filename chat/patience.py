"""How much misbehaviour is borne: so much a minute, and no more."""

import time
from collections import deque


class Patience:
    """Counts offences; lost when there are more than `limit` within a minute."""

    def __init__(self, limit: int):
        self._limit = limit
        self._offences: deque[float] = deque(maxlen=limit + 1)

    def is_lost(self) -> bool:
        """Count one more offence."""
        now = time.monotonic()
        self._offences.append(now)
        return len(self._offences) > self._limit and now - self._offences[0] < 60
