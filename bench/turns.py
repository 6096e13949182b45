"""Measured in turn: what is compared is there all the time, and takes its turn a little at a time."""

import statistics
from collections.abc import Callable
from typing import TypeVar

from .load import Figures

Name = TypeVar("Name")


def in_turn(turns: int, windows: dict[Name, Callable[[], Figures]]) -> dict[Name, Figures]:
    """All of them are there all the time, and measured a little at a time.

    Apart, the machine's moods are larger than the differences: the same two columns, minutes apart, gave 1.2 and 1.8.
    """
    measured: dict[Name, list[Figures]] = {name: [] for name in windows}
    for _ in range(turns):
        for name, window in windows.items():
            measured[name].append(window())
    return {name: _together(figures) for name, figures in measured.items()}


def _together(windows: list[Figures]) -> Figures:
    """One that stood still has no latency and no cost for each delivery."""
    moving = [window for window in windows if "cpu_us" in window]
    figures = {name: sum(window[name] for window in windows) for name in ("deliveries_per_s", "lost")}
    figures["deliveries_per_s"] /= len(windows)
    if moving:
        cpu_us, deliveries = ([window[name] for window in moving] for name in ("cpu_us", "deliveries_per_s"))
        figures["cpu_us"] = statistics.fmean(cpu_us, deliveries)
        figures["p50_ms"] = statistics.median(window["p50_ms"] for window in moving)
    return figures
