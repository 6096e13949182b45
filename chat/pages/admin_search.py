"""Searching in the admin: newest first, the same on both databases, and over soon however much there is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import BoundedSemaphore
from typing import Any, NamedTuple

from django.db.models import QuerySet

from accounts.names import key

FOUND_LIMIT = 300
ROWS_AT_ONCE = 2_000
PATIENCE_S = 1.5
SEARCHES_AT_ONCE = 2


class Found(NamedTuple):
    """The keys of what was found, newest first; and whether there may be more."""

    pks: list[Any]
    is_complete: bool


class Busy(Exception):
    """Others are searching in this process: each takes a connection to the database and much of a core."""


_searches = BoundedSemaphore(SEARCHES_AT_ONCE)


def search(rows: QuerySet[Any], fields: tuple[str, ...], words: str) -> Found:
    """Rows in whose fields all of the words stand, whatever their case or form; raises Busy.

    Compared here and not in SQL: SQLite folds the case of ASCII alone, and PostgreSQL that of its locale.
    """
    if not _searches.acquire(blocking=False):
        raise Busy
    try:
        return _search(rows, fields, key(words).split())
    finally:
        _searches.release()


def _search(rows: QuerySet[Any], fields: tuple[str, ...], words: list[str]) -> Found:
    found: list[Any] = []
    until = time.monotonic() + PATIENCE_S
    for pk, *texts in _newest_first(rows, fields):
        folded = key("\n".join(text or "" for text in texts))
        if all(word in folded for word in words):
            found.append(pk)
        if len(found) == FOUND_LIMIT or time.monotonic() > until:
            return Found(found, is_complete=False)
    return Found(found, is_complete=True)


def _newest_first(rows: QuerySet[Any], fields: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    """In slices by primary key: none of them takes the database long."""
    slice_of = rows.order_by("-pk").values_list("pk", *fields)
    page = list(slice_of[:ROWS_AT_ONCE])
    while page:
        yield from page
        page = list(slice_of.filter(pk__lt=page[-1][0])[:ROWS_AT_ONCE])
