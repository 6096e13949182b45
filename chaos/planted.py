"""The application with something broken in it, named in CHAOS_FAULT: the checker has to find each of these.

Nothing of this is in the product: its engines are changed here, in the memory of one server process.
`crash-after-commit:P` is no fault but an accident: with the probability P the process dies by SIGKILL when a batch is
committed and nobody has been told.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from chatsite.asgi import application  # first of all: it sets Django up

# isort: split
from django.db import connection

from chat import database
from chat.live import read_positions, repair
from chat.messages import ledger, writes
from chat.messages.entries import Entry
from chat.messages.known import Known
from chat.models import Message

__all__ = ["application"]

UNTIL_COMMIT_S = 0.3


def no_head_check() -> None:
    """What the courier loses stays lost until somebody notices a gap."""

    async def compare_nothing(self: repair.Repair) -> None:
        await asyncio.Event().wait()

    repair.Repair._compare_heads = compare_nothing  # type: ignore[method-assign]


def no_nonce() -> None:
    """Whatever comes twice is written twice. `forget_uniqueness` goes with it."""

    init = Known.__init__

    def init_without_nonces(self: Known, *arguments: Any) -> None:
        init(self, *arguments)
        self.said = {}

    Known.__init__ = init_without_nonces  # type: ignore[method-assign]


def no_reading() -> None:
    """How far people have read is heard, and not kept."""

    async def write_nothing(self: read_positions.ReadPositions) -> None:
        self._unwritten = {}

    read_positions.ReadPositions.written = write_nothing  # type: ignore[method-assign]


def ack_before_commit() -> None:
    """Everybody is told first, and the transaction comes a moment later."""

    async def write_batch(self: writes.Writes, batch: list[writes.Asked]) -> None:
        entries = [asked.entry for asked in batch]
        try:
            outcomes, changed = await database.writer.run(_rehearse, entries)
        except Exception as problem:
            writes._fail(batch, problem)
            return
        self._announce(changed)
        for asked, outcome in zip(batch, outcomes, strict=True):
            writes._settle(asked.future, outcome)
        await asyncio.sleep(UNTIL_COMMIT_S)
        await database.writer.run(ledger.write, entries)

    writes.Writes._write_batch = write_batch  # type: ignore[method-assign]


class _Undone(Exception):
    """Thrown to take a transaction back."""


def _rehearse(entries: Sequence[Entry]) -> Any:
    with suppress(_Undone), database.transaction() as statements:
        statements.commit = lambda writes: None  # type: ignore[method-assign]
        result = ledger.Transaction(entries, [""] * len(entries), statements).run()
        raise _Undone
    return result


def crash_after_commit(probability: str) -> None:
    """Die between the commit and its delivery."""
    build = writes.Writes.__init__

    def init(self: writes.Writes, committed: Callable[[Any], None]) -> None:
        def die_or_go_on(changed: Any) -> None:
            if changed and random.random() < float(probability):
                os.kill(os.getpid(), signal.SIGKILL)
            committed(changed)

        build(self, die_or_go_on)

    writes.Writes.__init__ = init  # type: ignore[method-assign]


def forget_uniqueness() -> None:
    """The constraint that makes a nonce count once is taken out of the database."""
    (once,) = (constraint for constraint in Message._meta.constraints if constraint.name == "once")
    Message._meta.constraints = [other for other in Message._meta.constraints if other is not once]  # for SQLite
    with connection.schema_editor() as editor:
        editor.remove_constraint(Message, once)


def _plant(faults: str) -> None:
    for fault in filter(None, faults.split(",")):
        name, _, argument = fault.partition(":")
        globals()[name.replace("-", "_")](*filter(None, [argument]))


if __name__ == "__main__":
    forget_uniqueness()
else:
    _plant(os.environ.get("CHAOS_FAULT", ""))
