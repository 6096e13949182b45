"""A whole site: several real server processes, a database and a Valkey of their own."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg

from rig.programs import Daphne, Valkey, free_port

PROJECT = Path(__file__).resolve().parent.parent

# What an operator may have set for a site of their own.
SETTINGS = [
    *("DEBUG", "DATA_DIR", "SECRET_KEY", "HOST", "PORT", "WEB_PROCESSES", "ADMIN_NAME", "ADMIN_PASSWORD"),
    *("CHAT_GUESTS", "CHAT_SIGNUP", "CHAT_CONNECTIONS_PER_NAME", "CHAT_NEW_NAMES", "CHAT_POSTS_PER_S"),
    *("PUBLIC_URL", "DATABASE_URL", "REDIS_URL"),
]


class Blueprint:
    """A site with nobody in it, prepared once in a run; every site of the run begins as its copy."""

    def __init__(self, folder: Path, postgresql_url: str | None):
        self._folder = folder / "blueprint"
        self._postgresql_url = postgresql_url
        self._copies = 0
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._folder.exists():
                self._prepare()

    def _prepare(self) -> None:
        self._create_database("blueprint")
        self._folder.mkdir()
        manage(self._env(self._folder, "blueprint"), "prepare")

    def copy(self, folder: Path) -> dict[str, str]:
        """The environment of a new site whose data stands in that folder."""
        shutil.copytree(self._folder, folder, ignore=shutil.ignore_patterns("static"))
        (folder / "static").symlink_to(self._folder / "static")
        self._copies += 1
        database = f"site_{os.getpid()}_{self._copies}"
        self._create_database(database, template="blueprint")
        return self._env(folder, database)

    def _env(self, folder: Path, database: str) -> dict[str, str]:
        env = environment(folder)
        if self._postgresql_url:
            env["DATABASE_URL"] = self._postgresql_url.replace("/postgres?", f"/{database}?")
        return env

    def _create_database(self, name: str, template: str = "template1") -> None:
        if self._postgresql_url:
            with psycopg.connect(self._postgresql_url, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")


class Site:
    """Server processes on ports of their own. Number 0 is the first one."""

    def __init__(self, folder: Path, env: dict[str, str], server: str):
        self.folder = folder
        self.valkey = Valkey(folder)
        self.env = {"REDIS_URL": self.valkey.url, **env}
        self.processes: list[Daphne] = []
        self._server = server

    def add_process(self) -> None:
        label = f"t{len(self.processes) + 1}"
        env = {**self.env, "CHATSITE_PROCESS": label}
        self.processes.append(Daphne(self._server, free_port(), self.folder / f"{label}.log", env))

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self.processes]

    @property
    def urls(self) -> list[str]:
        return [process.url for process in self.processes]

    @property
    def ws_urls(self) -> list[str]:
        return [process.ws_url for process in self.processes]

    @property
    def logs(self) -> str:
        return "".join(process.log.read_text(errors="replace") for process in self.processes)

    def kill(self, number: int) -> None:
        self.processes[number].kill()

    def start(self, number: int) -> None:
        """Again, at the same address."""
        self.processes[number].start()

    def manage(self, *command: str) -> str:
        return manage(self.env, *command)

    def stop(self) -> None:
        """All drain at once, and Valkey goes last."""
        for process in self.processes:
            process.ask_to_stop()
        for process in [*self.processes, self.valkey]:
            process.stop()


def environment(data: Path) -> dict[str, str]:
    """That of this program, for a site whose data stands in that folder and that has no settings yet."""
    env = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    return env | {"CHAT_NEW_NAMES": "0", "DATA_DIR": str(data)}


def manage(env: dict[str, str], *command: str) -> str:
    """What a management command of that site prints."""
    return run_python(env, "manage.py", *command)


def run_python(env: dict[str, str], *arguments: str) -> str:
    """What Python prints in the environment of a site. It has nothing to complain about."""
    done = subprocess.run([sys.executable, *arguments], cwd=PROJECT, env=env, capture_output=True, text=True)
    if done.returncode or done.stderr:
        raise RuntimeError(f"{' '.join(arguments)[:200]} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout
