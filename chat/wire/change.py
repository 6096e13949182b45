"""One change of a room, encoded once in the cluster; and how many of them fit into a page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from chat import limits


class Change(NamedTuple):
    """The state of the message at `seq` since change number `version`, encoded once in the cluster.

    `blob`: the bytes of a binary frame.
    """

    version: int
    seq: int
    body: bytes
    blob: bytes | None = None


def fitting(changes: Iterable[Change], limit: int | None = None) -> tuple[list[Change], bool]:
    """As many of the first ones as fit into a page, one in any case, `limit` at most; and whether there are more.

    No more are taken from `changes` than it needs to know that.
    """
    page: list[Change] = []
    left_bytes = limits.PAGE_LIMIT_BYTES
    for change in changes:
        left_bytes -= len(change.body)
        if page and (left_bytes < 0 or len(page) == limit):
            return page, True
        page.append(change)
    return page, False
