"""What a run is made of."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Options:
    """What a run is made of. `rate_per_s`: what one person writes; `pause_s`: between two faults, on average."""

    seed: int
    seconds: float
    mix: tuple[str, ...]
    clients: int = 50
    processes: int = 2
    database: str = "sqlite"
    server: str = "chatsite.server"
    rooms: tuple[str, ...] = ("lobby", "tower")
    rate_per_s: float = 0.5
    pause_s: float = 5.0
    longest_s: float = 60.0
    planted: str = ""
    settings: dict[str, str] = field(default_factory=dict)
