"""The faults that chaos plants: they are changes of today's engines, not of those of some time ago."""

import subprocess
import sys
from pathlib import Path

import pytest

from chaos.prove import FAULTS

PROJECT = Path(__file__).resolve().parent.parent.parent

# A fault that breaks its process shows nothing: a post has to be acknowledged where it was planted.
POSTS = """
import asyncio, os
import chaos.planted
from chat import database
from chat.messages import ledger, writes
from chat.messages.entries import Entry, Receipt
from chat.wire.verbs import Post

receipt = Receipt("lobby", 1, 1, is_repeat=False)

class Statements:
    commit = None

class transaction:
    def __enter__(self): return Statements()
    def __exit__(self, *problem): return False

class Transaction:
    def __init__(self, entries, *rest): self._entries = entries
    def run(self): return [receipt for _ in self._entries], []

async def post():
    database.transaction, ledger.Transaction = transaction, Transaction
    entry = Entry(1, Post(room="lobby", nonce="n", text="hello"))
    print(await asyncio.wait_for(writes.Writes(lambda changed: None).write(entry), 30))

asyncio.run(post())
"""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_process_with_a_planted_fault_still_writes(fault, tmp_path):
    env = {"PATH": "/usr/bin:/bin", "CHAOS_FAULT": fault, "DATA_DIR": str(tmp_path), "SECRET_KEY": "0" * 50}
    done = subprocess.run([sys.executable, "-c", POSTS], cwd=PROJECT, env=env, capture_output=True, text=True)
    assert "Receipt(room='lobby', seq=1" in done.stdout, done.stderr
