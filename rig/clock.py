"""A clock that tests move by hand: it stands in for the `time` module of whatever is tested."""


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now: float = 1_000_000.0):
        self.now = now

    def advance(self, seconds: float) -> None:
        self.now += seconds

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now
