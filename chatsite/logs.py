"""How a log line looks."""

import logging
import os

from django.core.exceptions import DisallowedHost, SuspiciousOperation

from .server.outages import REDIS_IS_AWAY, SAME_FAULT_S
from .trouble import is_database_away


def printable(text: str) -> str:
    """Nothing that moves a terminal's cursor or turns the direction of a line."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


class TroubleInOneLine(logging.Filter):
    """A database that is away, or a request for another address, is one line that says what to do."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if is_database_away(error):
            record.msg, record.args = "%s; the database does not answer: %s", (record.getMessage(), _first_line(error))
            record.exc_info = record.exc_text = None
        elif isinstance(error, DisallowedHost) or record.name == "django.security.DisallowedHost":
            record.msg, record.args = "%s; if people type that address, set PUBLIC_URL to it", (record.getMessage(),)
        return True


def _first_line(error: BaseException | None) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


class LineFormatter(logging.Formatter):
    """One line each, with the process it came from. A traceback follows only for faults of ours."""

    def __init__(self) -> None:
        process = os.environ.get("CHATSITE_PROCESS", "-")
        super().__init__(f"%(asctime)s {process} %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        return printable(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        if record.exc_info and isinstance(record.exc_info[1], SuspiciousOperation):
            record.exc_info = record.exc_text = None
        return super().format(record)


class Sparing(logging.Filter):
    """For channels-redis, which tells the same every second: nothing while Redis is away, any other fault once."""

    def __init__(self) -> None:
        super().__init__()
        self._told_at: dict[tuple[str, object], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        problem = record.exc_info[1] if record.exc_info else None
        if isinstance(problem, REDIS_IS_AWAY):
            return False
        kind = (str(record.msg), type(problem))
        if record.created - self._told_at.get(kind, -SAME_FAULT_S) < SAME_FAULT_S:
            return False
        self._told_at[kind] = record.created
        return True
