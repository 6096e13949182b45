"""Rate limits: so many offences a minute, so many requests a second."""

import time
from collections import deque
from collections.abc import Callable
from functools import partial
from threading import Lock

from django.conf import settings

from accounts.identity import NotAdmitted, Why
from chat import limits
from chat.wire.refusals import Refusal


class Offences:
    """Counts what a connection should not have done; more than `limit` within a minute are too many."""

    def __init__(self, limit: int):
        self._limit = limit
        self._offences: deque[float] | None = None  # most never offend

    def add(self) -> bool:
        """Count one more; True when that was one too many."""
        now = time.monotonic()
        if self._offences is None:
            self._offences = deque(maxlen=self._limit + 1)
        self._offences.append(now)
        return len(self._offences) > self._limit and now - self._offences[0] < 60


class Allowance:
    """A bucket of tokens: `burst` at once, refilled at `rate_per_s`."""

    def __init__(self, rate_per_s: float, burst: float):
        self.rate_per_s = rate_per_s
        self._burst = burst
        self._tokens = burst
        self._at = time.monotonic()

    def spend(self) -> None:
        """Take one token, or raise the Refusal that says when there is one."""
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self.rate_per_s)
        self._at = now
        if self._tokens < 1:
            raise Refusal("rate_limited", "You're sending too fast.", retry_after=(1 - self._tokens) / self.rate_per_s)
        self._tokens -= 1


class NewNames:
    """How many names that nobody had before may come from one address: a minute's worth at once (CHAT_NEW_NAMES).

    Names that exist are not counted: a program may come back as often as it likes.
    """

    def __init__(self) -> None:
        self._allowances: dict[str, Allowance] = {}
        self._lock = Lock()

    def admit(self, address: str) -> Callable[[], None]:
        """What has to be called, in any thread, before a name is made; it may raise NotAdmitted."""
        return partial(self._spend, address)

    def _spend(self, address: str) -> None:
        if not settings.CHAT_NEW_NAMES:
            return
        with self._lock:
            if len(self._allowances) > limits.ADDRESSES_REMEMBERED:
                self._allowances.clear()
            allowance = self._allowances.setdefault(
                address, Allowance(settings.CHAT_NEW_NAMES / 60, settings.CHAT_NEW_NAMES)
            )
            try:
                allowance.spend()
            except Refusal:
                raise NotAdmitted(Why.RATE_LIMITED, "too many new names from this address") from None
