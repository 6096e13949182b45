"""What the database fails with: told to the operator in one line, and to the client as a reason to come back."""

from __future__ import annotations

import logging
import math
import sqlite3
import time

from chat import limits
from chat.wire.refusals import Refusal

logger = logging.getLogger("chat.database")
SQLSTATES_OF_TIMEOUTS = {"57014", "55P03"}  # query_canceled, lock_not_available
DRIVER_TIMEOUTS = {"PoolTimeout", "ConnectionTimeout"}
_complained_at = -math.inf


class Unavailable(Refusal):
    """The database is away, locked or too slow; the caller is asked to come back."""

    def __init__(self) -> None:
        super().__init__("unavailable", "The database does not answer just now.", limits.UNAVAILABLE_RETRY_S)


def unavailable(problem: Exception) -> Unavailable:
    """Tell the operator why, once a second at most; the client is told only to come back."""
    global _complained_at
    if time.monotonic() - _complained_at > 1:
        _complained_at = time.monotonic()
        logger.warning("the database does not answer: %s", str(problem).strip())
    return Unavailable()


def is_timeout(problem: Exception) -> bool:
    """A lock or a time-out would only happen again; a lost connection would not."""
    cause = problem.__cause__
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return getattr(cause, "sqlstate", None) in SQLSTATES_OF_TIMEOUTS or type(cause).__name__ in DRIVER_TIMEOUTS
