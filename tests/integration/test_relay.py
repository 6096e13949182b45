"""The line that takes its time, of the benchmark."""

import socket
import sys
import time

import pytest

from rig.programs import Program

DELAY_S = 0.02


class Relay(Program):
    def __init__(self, folder):
        self.near = folder / "near"
        command = [sys.executable, "-m", "bench.relay", str(self.near), str(folder / "far"), str(DELAY_S)]
        super().__init__(command, folder / "log")

    def is_ready(self):
        return self.near.exists()


@pytest.fixture
def line(tmp_path):
    """A near end whose far end gives back what it gets."""
    far = socket.socket(socket.AF_UNIX)
    far.bind(str(tmp_path / "far"))
    far.listen()
    relay = Relay(tmp_path)
    near = socket.socket(socket.AF_UNIX)
    near.settimeout(20)
    near.connect(str(relay.near))
    answering, _ = far.accept()
    with near, far, answering:
        yield near, answering
    relay.kill()


def test_what_is_said_comes_later_each_way_and_in_order(line):
    near, far = line
    began = time.perf_counter()
    near.sendall(b"one")
    near.sendall(b"two")
    said = far.recv(3) + far.recv(3)
    far.sendall(said)
    assert near.recv(6, socket.MSG_WAITALL) == b"onetwo"
    assert time.perf_counter() - began >= 2 * DELAY_S


def test_the_end_of_one_side_is_the_end_of_the_other(line):
    near, far = line
    near.sendall(b"last words")
    near.close()
    assert far.recv(100) == b"last words"
    assert far.recv(100) == b""
