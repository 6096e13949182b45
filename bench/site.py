"""This site as one of the servers: every message is committed, and goes through Redis."""

import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg

from chatsite.serve import supervision
from rig.programs import PostgreSQL, free_port

from .servers import PROJECT, Server, endpoint
from .wires import ChatWire

SETTINGS = {"CHAT_NEW_NAMES": "0", "CHAT_POSTS_PER_S": "0", "CHAT_CONNECTIONS_PER_NAME": "1000", "DATABASE_URL": ""}


class DurablePostgreSQL(PostgreSQL):
    """As it comes, which means that a commit is on the disk."""

    FAST = ("max_connections=300",)


class Blueprint:
    """A prepared site with nobody in it. Every site begins as its copy."""

    def __init__(self, folder: Path, postgresql_url: str | None):
        self._folder = folder
        self._postgresql_url = postgresql_url
        self._copies = itertools.count(1)
        self._create_database("blueprint", template="template1")
        _run_in(self._env(folder, "blueprint"), "manage.py", "prepare")

    def copy(self, folder: Path) -> dict[str, str]:
        """The environment of a new site whose data stands in that folder."""
        shutil.copytree(self._folder, folder)
        database = f"site{next(self._copies)}"
        self._create_database(database, template="blueprint")
        return self._env(folder, database)

    def _env(self, folder: Path, database: str) -> dict[str, str]:
        env = SETTINGS | {"DATA_DIR": str(folder)}
        if self._postgresql_url:
            env["DATABASE_URL"] = self._postgresql_url.replace("/postgres?", f"/{database}?")
        return env

    def _create_database(self, name: str, template: str) -> None:
        if self._postgresql_url:
            with psycopg.connect(self._postgresql_url, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")


class SiteServer(Server):
    """One or more processes, each with its own port, on one database and one Redis."""

    def start(self, processes: int, env: dict[str, str], program: str) -> None:
        self.start_valkey()
        self.env |= env
        for number in range(processes):
            port = free_port()
            command = supervision.server_command(["--endpoint", endpoint(port)], program)
            self.listen(command, port, {"CHATSITE_PROCESS": f"bench{number + 1}"})

    def wire(self, rooms: list[str], clients: int) -> ChatWire:
        tickets = self.seed(people=max(1, clients), rooms=rooms)["tickets"]
        return ChatWire(itertools.cycle(tickets))

    def seed(self, **wanted: Any) -> dict[str, Any]:
        """See seed.py."""
        return json.loads(_run_in(self.env, "-m", "bench.seed", json.dumps(wanted)))


def program() -> str:
    """What serves it best of what there is."""
    return "chatsite.server" if (PROJECT / "chatsite" / "server").exists() else "daphne"


def _run_in(env: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=PROJECT, env={**os.environ, **env}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)[:200]} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout
