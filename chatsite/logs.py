"""How a log line looks."""

import logging
import os

from django.core.exceptions import SuspiciousOperation


class LineFormatter(logging.Formatter):
    """One line each, with the process it came from. A traceback follows only for faults of ours."""

    def __init__(self) -> None:
        process = os.environ.get("CHATSITE_PROCESS", "-")
        super().__init__(f"%(asctime)s {process} %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        return super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")

    def format(self, record: logging.LogRecord) -> str:
        if record.exc_info and isinstance(record.exc_info[1], SuspiciousOperation):
            record.exc_info = record.exc_text = None
        return super().format(record)
