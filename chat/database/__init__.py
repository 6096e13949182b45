"""Who may touch the database, and how: threads with bounds, questions answered together, transactions in few trips."""

from .batched import Batched
from .exclusive import exclusive
from .threads import Threads, identity_threads, readers, writer
from .transaction import Query, Statements, transaction
from .trouble import Unavailable

__all__ = [
    "Batched",
    "Query",
    "Statements",
    "Threads",
    "Unavailable",
    "exclusive",
    "identity_threads",
    "readers",
    "transaction",
    "writer",
]
