"""Judges a run: compares what was acknowledged with the database, and the database with what everybody ended up with.

Each check is a function from the evidence to the cases it finds. `check` calls them all; any case fails the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from . import attention, ends, lateness, messages, presence
from .history import Evidence
from .index import Case, Index


def check(evidence: Evidence) -> list[Case]:
    index = Index(evidence)
    return [case for find in CHECKS for case in find(index)]


CHECKS: tuple[Callable[[Index], Iterator[Case]], ...] = (
    messages.lost_posts,
    messages.lost_on_the_way,
    messages.lost_changes,
    messages.doubled_rows,
    messages.doubled_texts,
    messages.doubled_acks,
    messages.reordered_before_eyes,
    messages.reordered_by_author,
    messages.reordered_places,
    messages.reordered_numbers,
    messages.ghosts,
    messages.ghost_reactions,
    messages.different_from_database,
    messages.different_states,
    messages.different_from_written,
    lateness.late,
    presence.presence_at_the_end,
    presence.presence_of_the_dead,
    presence.presence_flaps,
    attention.lost_readings,
    attention.ghost_readings,
    attention.ghost_typing,
    ends.stuck,
    ends.sent_away,
    ends.unexplained,
    ends.errors,
    ends.complaints,
)
