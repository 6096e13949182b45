"""Measures the promises and prints one table: python -m bench.measures [NAME …] [--database DATABASE …] [--write]"""

import argparse
import asyncio
import os
import signal
import sys
import time

from bench import machine
from rig.site import PROJECT

from . import crowds, doors, faults, readers, table, writing
from .stage import DATABASES, Stage
from .table import Measure, Row

LIMIT_S = 180

MEASURES = [
    Measure(
        "redis-frozen",
        "Redis frozen 20 s under load",
        "0 lost; deliveries ≤ 2 s late; nobody disconnected",
        faults.redis_frozen,
    ),
    Measure("blackout", "blackout after `kill -9` of one process", "p99 ≤ 3 s", faults.blackout),
    Measure(
        "rolling-restart",
        "rolling restart, 500 clients",
        "p99 ≤ 3 s, no error shown, no presence flap",
        faults.rolling_restart,
    ),
    Measure(
        "all-back",
        "2,000 clients back at once, 100 messages behind",
        "all caught up ≤ 15 s on one process, ≤ 5 queries for the messages in all",
        readers.all_back,
    ),
    Measure(
        "never-reads",
        "a client that never reads, 1 MiB/s of traffic",
        "+ ≤ 1 MiB, cut ≤ 15 s; others' p99 within 1.2×",
        readers.never_reads,
    ),
    Measure("slow-query", "one 500 ms query", "others' delivery p99 ≤ 50 ms", readers.slow_query),
    Measure("logout", "logout → other sockets of that session closed, other process", "≤ 1 s", doors.logout),
    Measure(
        "hostile",
        "20,000 malformed, truncated, oversized or hostile frames and handshakes",
        "0 tracebacks, 0 effects on others, the process still serves",
        doors.hostile,
    ),
    Measure(
        "readers",
        "3,000 people who read what they see, one message a second, against the same without reading",
        "p50 ≤ 1.3×",
        crowds.readers,
    ),
    Measure("presence", "4,000 people in 25 rooms each: presence", "≤ 10% of a core", crowds.presence),
    Measure(
        "big-room",
        "5,000 sockets in one room, 40 messages a second, all reading",
        "p99 ≤ 300 ms, 0 lost",
        crowds.big_room,
    ),
    Measure(
        "many-rooms",
        "connects/s, memory, join with 20,000 rooms against 10",
        "≥ 0.8×, ≤ 1.2×, ≤ 1.2×",
        crowds.many_rooms,
    ),
    Measure(
        "near",
        "stored post, PostgreSQL, 1 in flight, p50 against SQLite's, in turn",
        "≤ 1.6×",
        writing.near,
        databases=["postgresql"],
    ),
    Measure(
        "away",
        "the same, PostgreSQL 1 ms away",
        "p50 ≤ 5.5 ms; 20 in flight ≥ 1,500/s",
        writing.away,
        databases=["postgresql"],
    ),
    Measure("title", "a room's title changes, 2,000 people connected", "others' delivery p99 ≤ 1.2×", writing.title),
    Measure("reaction", "reaction to a 4 kB message, 500 sockets", "≤ 250 bytes each", writing.reaction),
]


def main() -> int:
    asked = _arguments()
    os.chdir(PROJECT)
    machine.allow_many_sockets()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    rows = []
    for database in asked.database:
        with Stage(database) as stage:
            wanted = [one for one in MEASURES if one.name in asked.names and database in one.databases]
            rows += [_measured(stage, measure) for measure in wanted]
    print(f"\n{machine.description()}\n\n{table.markdown(rows)}")
    if asked.write:
        table.write(rows)
    return 0 if all(row.holds for row in rows) else 1


def _measured(stage: Stage, measure: Measure) -> Row:
    """One row. A measure that fails or hangs is a row that does not hold."""
    began = time.monotonic()
    try:
        with machine.on_core(stage.cores.load):
            finding = asyncio.run(asyncio.wait_for(measure.take(stage), LIMIT_S))
    except Exception as trouble:
        finding = table.Finding(f"no figure: {type(trouble).__name__} {trouble}"[:300], holds=False)
    row = Row.of(measure, stage.database, finding)
    print(f"{measure.name} on {stage.database}, {time.monotonic() - began:.0f} s: {row.measured}", file=sys.stderr)
    return row


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.measures", description=__doc__)
    names = [measure.name for measure in MEASURES]
    parser.add_argument("names", nargs="*", choices=[*names, []], default=[], metavar="NAME", help=", ".join(names))
    parser.add_argument("--database", nargs="+", choices=DATABASES, default=DATABASES)
    parser.add_argument("--write", action="store_true", help="put the rows into docs/guarantees.md")
    asked = parser.parse_args()
    asked.names = asked.names or names
    return asked


if __name__ == "__main__":
    sys.exit(main())
