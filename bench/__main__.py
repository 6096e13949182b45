"""The benchmark: `python -m bench` measures everything, `--quick` a little of it in two minutes."""

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

from rig.site import PROJECT

from . import machine, report, rows
from .clients import Broken
from .report import Results
from .rows import FULL, QUICK, Scale
from .workshop import EVERYBODY, Peer, Workshop, install_node_peers

QUICK_LIMIT_S = 115
FULL_LIMIT_S = 40 * 60


class Ended(Exception):
    """Somebody or the clock ended the run."""


def main() -> None:
    asked = _arguments()
    os.chdir(PROJECT)
    machine.allow_many_sockets()
    install_node_peers()
    _end_on_signals(QUICK_LIMIT_S if asked.quick else FULL_LIMIT_S)
    results = Results()
    with Workshop() as workshop:
        circumstances = report.about(asked.quick, workshop.split)
        try:
            with machine.on_core(workshop.split.load):
                _measure(workshop, results, asked)
        except (Ended, KeyboardInterrupt) as end:
            results.troubles.append(f"what is missing: the run was ended by {end or 'Ctrl-C'}")
        signal.alarm(0)
    print(report.markdown(results, circumstances))
    if asked.json:
        everything = {"about": circumstances, "rows": results.rows, "troubles": results.troubles}
        asked.json.write_text(json.dumps(everything, indent=2, ensure_ascii=False) + "\n")
    if results.troubles:
        raise SystemExit("bench: some figures are missing")


def _measure(workshop: Workshop, results: Results, asked: argparse.Namespace) -> None:
    scale = QUICK if asked.quick else FULL
    plan = rows.QUICK_PLAN if asked.quick and not asked.peers else rows.PLAN
    for measure, peers in plan:
        if not asked.rows or measure.__name__ in asked.rows:
            for peer in peers:
                if not asked.peers or peer.name in asked.peers:
                    _measure_one(workshop, results, scale, measure, peer)


def _measure_one(workshop: Workshop, results: Results, scale: Scale, measure: rows.Measure, peer: Peer) -> None:
    began = time.perf_counter()
    try:
        for row in measure(workshop, peer, scale):
            results.add((row.peer or peer).name, row)
    except Broken as trouble:
        results.troubles.append(f"{peer.name}, {measure.__name__}: {trouble}")
    print(f"{measure.__name__}: {peer.name}, {time.perf_counter() - began:.1f} s", file=sys.stderr, flush=True)


def _end_on_signals(limit_s: int) -> None:
    """Whatever ends the run, the servers end with it and the table is printed; and it ends by itself."""

    def end(number: int, _: object) -> NoReturn:
        raise Ended(signal.Signals(number).name)

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, end)
    signal.alarm(limit_s)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer peers, shorter and smaller")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    names = [peer.name for peer in EVERYBODY]
    parser.add_argument("--peers", nargs="+", choices=names, default=[], metavar="PEER", help=", ".join(names))
    measures = [measure.__name__ for measure, _ in rows.PLAN]
    parser.add_argument("--rows", nargs="+", choices=measures, default=[], metavar="ROW", help=", ".join(measures))
    return parser.parse_args()


if __name__ == "__main__":
    main()
