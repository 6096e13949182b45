import socket

import pytest


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Unit tests connect to nothing."""

    def refuse(self, address):
        raise AssertionError(f"a unit test connected to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
