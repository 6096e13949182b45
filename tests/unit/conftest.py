import socket

import pytest
from hypothesis import HealthCheck, settings

from tests.unit.stage import Process, Store, set_up

# On a busy machine an example may take long: that says nothing of what it tests.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Unit tests connect to nothing."""

    def refuse(self, address):
        raise AssertionError(f"a unit test connected to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def store(monkeypatch):
    """The database of a stage; ask for it before a process."""
    store = Store()
    set_up(monkeypatch, store)
    return store


@pytest.fixture
async def process(store):
    process = Process()
    yield process
    await process.runtime.hub.stop()
    await process.runtime.positions.stop()


@pytest.fixture
async def other_process(store):
    process = Process()
    yield process
    await process.runtime.hub.stop()
    await process.runtime.positions.stop()
