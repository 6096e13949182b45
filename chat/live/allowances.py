"""What each user may ask of this process: so many changes, and so many pages, a second."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from accounts.identity import Person
from chat import limits

from .rate_limits import Allowance


class Allowances:
    """One bucket of each kind for each user who is connected here.

    `process_count(name)`: in how many processes a name is connected; they share what it may change.
    """

    def __init__(self, process_count: Callable[[str], int]):
        self._process_count = process_count
        self._changes: dict[int, Allowance] = {}
        self._pages: dict[int, Allowance] = {}

    def spend_change(self, person: Person) -> None:
        """One edit, deletion or reaction. They have no rows to be counted by, as posts have."""
        if settings.CHAT_POSTS_PER_S:
            rate_per_s = settings.CHAT_POSTS_PER_S / self._process_count(person.name)
            allowance = self._changes.setdefault(person.user_id, Allowance(rate_per_s, limits.POSTS_BURST))
            allowance.rate_per_s = rate_per_s
            allowance.spend()

    def spend_page(self, person: Person) -> None:
        """One page of a room: a join, or history."""
        self._pages.setdefault(person.user_id, Allowance(limits.PAGES_PER_S, limits.PAGES_BURST)).spend()

    def forget(self, user_id: int) -> None:
        """The user's last connection here is gone."""
        self._changes.pop(user_id, None)
        self._pages.pop(user_id, None)
