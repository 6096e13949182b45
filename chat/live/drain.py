"""A process that is going: it sends everybody away, each to come back elsewhere at a time of their own."""

from __future__ import annotations

import random

from chat.wire.closes import Close

from .arrivals import Arrival
from .connections import Connected, Connections

COME_BACK_S, COME_BACK_SPREAD_S, COME_BACK_PER_S = 0.1, 2.0, 400


class Drain:
    """`has_begun` once the process is going: from then on a connection that opens is sent away at once."""

    def __init__(self, connections: Connections):
        self._connections = connections
        self.has_begun = False

    def begin(self) -> None:
        self.has_begun = True
        for connected in self._connections:
            self.send_away(connected)

    def send_away(self, connected: Connected) -> None:
        connected.bye(Close.RESTARTING, retry_after_s=COME_BACK_S + random.uniform(0, self._spread_s()))

    def _spread_s(self) -> float:
        everybody = len(self._connections) + len(Arrival.under_way)
        return min(COME_BACK_SPREAD_S, everybody / COME_BACK_PER_S)
