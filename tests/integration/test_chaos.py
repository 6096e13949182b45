"""A short run of the breaker, always with the same faults; `make chaos` has the long one."""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
MIX = "kill,commit-kill,stop,roll,redis-restart,redis-freeze,cut,freeze,reload,lock"
TIMEOUT_S = 120


@pytest.fixture
def database(request):
    return request.config.getoption("--database")


def test_nothing_is_lost_doubled_or_reordered_whatever_dies(database):
    options = ["--seconds", "15", "--seed", "3", "--clients", "8", "--rate", "1", "--pause", "1.4", "--longest", "4"]
    command = [sys.executable, "-m", "chaos", *options, "--database", database, "--mix", MIX]

    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=TIMEOUT_S)

    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
