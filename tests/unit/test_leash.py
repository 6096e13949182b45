"""What runs on a leash ends with who holds it, whenever that ends."""

import os
import subprocess
import sys

from chatsite.serve.leash import HOLDER

LEASHED = [
    sys.executable,
    "-m",
    "chatsite.serve.leash",
    sys.executable,
    "-c",
    "import os; print(os.getpid(), os.environ)",
]


def run(holder):
    environment = {name: value for name, value in os.environ.items() if name != HOLDER} | holder
    return subprocess.run(LEASHED, env=environment, capture_output=True, text=True)


def test_a_program_on_a_leash_runs_and_holds_the_next():
    for holder in ({}, {HOLDER: str(os.getpid())}):
        ran = run(holder)
        pid, environment = ran.stdout.split(" ", 1)
        assert f"'{HOLDER}': '{pid}'" in environment


def test_a_program_whose_holder_went_before_it_could_ask_does_not_begin():
    ran = run({HOLDER: "1"})
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "is gone" in ran.stderr
