"""What a run is made of."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Options:
    """What a run is made of. `rate_per_s`: what one person writes; `pause_s`: between two faults, on average.

    `places`: how many of the rooms each person sits in.
    """

    seed: int
    seconds: float
    mix: tuple[str, ...]
    clients: int = 50
    processes: int = 2
    database: str = "sqlite"
    server: str = "chatsite.server"
    rooms: tuple[str, ...] = ("lobby", "tower", "attic", "cellar", "garden")
    places: int = 3
    rate_per_s: float = 0.5
    pause_s: float = 5.0
    longest_s: float = 60.0
    planted: str = ""
    settings: dict[str, str] = field(default_factory=dict)

    def rooms_of(self, number: int) -> list[str]:
        """The rooms that one person sits in: the first, as everybody does, and some of the others."""
        first, *others = self.rooms
        return [first, *(others[(number + step) % len(others)] for step in range(self.places - 1))]
