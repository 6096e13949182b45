"""Where the time of a server process goes: `python -m bench.profile room` (or `crowd`, `paced`, `connect`, `stored`).

py-spy looks at the process from outside, so nothing in it runs slower or other than usual. A sample is CPU time of one
thread; with the CPU time of the whole process known, a share of the samples is a number of microseconds.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from rig.site import PROJECT

from . import machine
from .load import Load
from .rows import LOBBY, PACED_MEMBERS, WRITERS
from .workshop import SITE, SITE_ON_POSTGRESQL, Workshop

SAMPLES_PER_S = 500
SHOWN = 40
WAITING = ("EpollSelector.select", "Threads._serve")  # py-spy cannot tell whether these work or wait: mostly they wait
START_S = 0.5
HEAD = ["| function | itself, µs | with what it calls, µs |", "| --- | --: | --: |"]
ROOMS = [f"room{number}" for number in range(300)]


class Situation(NamedTuple):
    """Who is there, and what happens while we look. The figures say how much of it happened."""

    clients: list[str]
    happens: Callable[[Load, float], float]
    of_what: str


def _saturate(rooms: list[str], in_flight: int) -> Callable[[Load, float], float]:
    def happens(load: Load, seconds: float) -> float:
        return load.saturate(rooms, in_flight, 0, seconds)["deliveries_per_s"] * seconds

    return happens


def _pace(load: Load, seconds: float) -> float:
    return load.pace(1.0, 0, seconds)["deliveries_per_s"] * seconds


def _connect(load: Load, seconds: float) -> float:
    began, connected = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        load.connect([LOBBY] * 100)
        connected += 100
    return connected


SITUATIONS = {
    "room": Situation([LOBBY] * 200, _saturate([LOBBY], 1), "delivery, 200 sockets, 1 in flight"),
    "busy": Situation([LOBBY] * 200, _saturate([LOBBY], 100), "delivery, 200 sockets, 100 in flight"),
    "crowd": Situation([LOBBY] * 1_000, _saturate([LOBBY], 1), "delivery, 1,000 sockets, 1 in flight"),
    "paced": Situation(ROOMS * PACED_MEMBERS, _pace, f"delivery, {len(ROOMS)} rooms × {PACED_MEMBERS}, paced"),
    "connect": Situation([LOBBY] * 20, _connect, "connection with a ticket, hello and join"),
    "stored": Situation(ROOMS[:WRITERS], _saturate(ROOMS[:WRITERS], 1), "message, stored, 1 in flight"),
}


class Profile:
    """Samples of a process by function: in itself, and with what it called. The unit is µs of CPU for each thing done.

    `thread_us` is what each thread really used: samples say only how that was spread.
    """

    def __init__(self, stacks: list[str], thread_us: dict[int, float]):
        parsed = [sample for sample in map(_parsed, stacks) if not sample[2][-1].startswith(WAITING)]
        samples: Counter[int] = Counter()
        for thread, _, _, count in parsed:
            samples[thread] += count
        self._itself: Counter[str] = Counter()
        self._with_callees: Counter[str] = Counter()
        self._threads: Counter[str] = Counter()
        for thread, name, functions, count in parsed:
            self._add(name, functions, count / samples[thread] * thread_us.get(thread, 0.0))

    def _add(self, thread: str, functions: list[str], us: float) -> None:
        self._threads[thread] += us  # type: ignore[assignment]
        self._itself[functions[-1]] += us  # type: ignore[assignment]
        for function in set(functions):
            self._with_callees[function] += us  # type: ignore[assignment]

    def markdown(self) -> str:
        threads = [f"| {thread} | {us:.2f} |" for thread, us in self._threads.most_common() if us >= 0.01]
        return "\n".join(
            [
                *("| thread | µs |", "| --- | --: |", *threads, ""),
                *("By the time in itself:", "", *HEAD, *self._lines(self._itself), ""),
                *("By the time with what it calls:", "", *HEAD, *self._lines(self._with_callees)),
            ]
        )

    def _lines(self, order: Counter[str]) -> list[str]:
        return [
            f"| `{function}` | {self._itself[function]:.2f} | {self._with_callees[function]:.2f} |"
            for function, _ in order.most_common(SHOWN)
        ]


def profile(workshop: Workshop, situation: Situation, on_postgresql: bool, seconds: float) -> str:
    with workshop.running(SITE_ON_POSTGRESQL if on_postgresql else SITE) as server:
        pid, samples = server.pids[0], server.folder / "samples"
        load = server.load(sorted(set(situation.clients)), max(len(situation.clients), 4_000))
        load.connect(situation.clients)
        load.rest(3)
        watching = _watch(pid, seconds, samples)
        before = machine.cpu_s_of_threads(pid)
        amount = situation.happens(load, seconds)
        after = machine.cpu_s_of_threads(pid)
        if watching.wait():
            raise SystemExit("py-spy could not watch the server; does it work with `py-spy dump`?")
        thread_us = {thread: (cpu_s - before.get(thread, 0)) * 1e6 / amount for thread, cpu_s in after.items()}
        found = Profile(samples.read_text().splitlines(), thread_us)
    total_us = sum(thread_us.values())
    return f"{total_us:.2f} µs of CPU for each {situation.of_what}\n\n{found.markdown()}\n"


def _watch(pid: int, seconds: float, samples: Path) -> subprocess.Popen[bytes]:
    spy = shutil.which("py-spy") or str(Path(sys.executable).parent / "py-spy")
    options = ["--duration", str(int(seconds)), "--rate", str(SAMPLES_PER_S), "--threads", "--nonblocking"]
    command = [spy, "record", "--pid", str(pid), *options, "--format", "raw", "--output", str(samples)]
    watching = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(START_S)
    return watching


def _parsed(stack: str) -> tuple[int, str, list[str], int]:
    """`thread (0x7F): MainThread;main (a.py:1);work (a.py:2) 17` as id and name of the thread, functions, count."""
    frames, _, count = stack.rpartition(" ")
    thread, *calls = frames.split(";")
    id, _, name = thread.removeprefix("thread (").partition(")")
    return int(id, 0), name.lstrip(": ") or id, [_function(call) for call in calls] or ["?"], int(count)


def _function(frame: str) -> str:
    """`name (file.py:12)` without its line, and without where the file is."""
    name, _, place = frame.partition(" (")
    path = place.rpartition(":")[0] or place.rstrip(")")
    return f"{name} · {'/'.join(Path(path).parts[-2:])}" if path else name


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("situation", choices=SITUATIONS)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--postgresql", action="store_true")
    asked = parser.parse_args()
    os.chdir(PROJECT)
    machine.allow_many_sockets()
    with Workshop() as workshop, machine.on_core(workshop.split.load):
        print(profile(workshop, SITUATIONS[asked.situation], asked.postgresql, asked.seconds))


if __name__ == "__main__":
    main()
