"""The server with an eye on its queries: python -m bench.measures.watched, with the options of chatsite.server.

Every query for messages is a line in the log. With SLOW_READ_S in the environment a page of history takes that long.
"""

import logging
import os
import time
from collections.abc import Callable
from typing import Any

from django.db.backends.signals import connection_created

from chatsite.server.cli import CommandLine

LINE = "a query for messages"
SLOW_READ_S = float(os.environ.get("SLOW_READ_S", 0))

logger = logging.getLogger("bench.watched")


def watch(connection: Any, **_: object) -> None:
    connection.execute_wrappers.append(_execute)


def _execute(execute: Callable[..., Any], sql: str, params: object, many: bool, context: dict[str, Any]) -> Any:
    if sql.startswith("SELECT") and 'FROM "chat_message"' in sql:
        logger.info(LINE)
        if '"seq" <' in sql:
            time.sleep(SLOW_READ_S)
    return execute(sql, params, many, context)


if __name__ == "__main__":
    connection_created.connect(watch)
    CommandLine.entrypoint()
