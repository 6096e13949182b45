"""The processes of a running site: started together, stopped together, none left behind."""

import http.client
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NoReturn

from django.conf import settings

from chatsite.environment import StartRefused

from . import leash, supervision, valkey

READY_TIMEOUT_S = 90
READY_INTERVAL_S = 0.2
ANSWER_TIMEOUT_S = 2
STOP_TIMEOUT_S = supervision.DRAIN_TIMEOUT_S + 5
OPEN_FILES_WANTED = 65536
TEMPORARY_FOLDER_LIMIT_BYTES = 70


class Processes:
    """Daphne's processes under supervisor, with a private Valkey if need be."""

    def __init__(self, supervisor: "subprocess.Popen[bytes]"):
        self._supervisor = supervisor

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not _site_answers():
            if self._supervisor.poll() is not None:
                self._refuse_to_go_on()
            if time.monotonic() > deadline:
                raise StartRefused(f"the site does not answer after {READY_TIMEOUT_S} s; see its log above.")
            time.sleep(READY_INTERVAL_S)

    def wait(self) -> NoReturn:
        self._supervisor.wait()
        self._refuse_to_go_on()

    def _refuse_to_go_on(self) -> NoReturn:
        raise StartRefused(f"supervisor ended with code {self._supervisor.returncode}; see its log above.")


@contextmanager
def running(count: int, valkey_binary: str | None) -> Iterator[Processes]:
    """From here on signals end the block, and the end of the block ends every process."""
    _end_on_signals()
    folder = short_folder("chatsite-")
    try:
        supervisor = _start_supervisor(folder, count, valkey_binary)
        try:
            yield Processes(supervisor)
        finally:
            _ignore_signals()
            _stop(supervisor)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start_supervisor(folder: Path, count: int, valkey_binary: str | None) -> "subprocess.Popen[bytes]":
    socket = folder / "valkey.sock"
    config = folder / "supervisord.conf"
    config.write_text(
        supervision.config(
            host=settings.HOST,
            port=settings.PORT,
            count=count,
            valkey_command=valkey.command(valkey_binary, socket) if valkey_binary else None,
        )
    )
    _allow_many_sockets()
    supervisor = subprocess.Popen(
        supervision.leashed([sys.executable, "-m", "supervisor.supervisord", "-c", str(config)]),
        cwd=settings.BASE_DIR,
        env=_environment(folder) | leash.as_holder() | ({"REDIS_URL": f"unix://{socket}"} if valkey_binary else {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        process_group=0,
    )
    threading.Thread(target=_pass_on, args=(supervisor.stdout,), daemon=True).start()
    return supervisor


def _stop(supervisor: "subprocess.Popen[bytes]") -> None:
    """The servers drain first. What does not end in time is killed, and the leash takes the rest along."""
    supervisor.terminate()
    try:
        supervisor.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        supervisor.kill()
        supervisor.wait()


def _end_on_signals() -> None:
    def end(signum: int, frame: object) -> NoReturn:
        raise SystemExit(0)

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, end)


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def short_folder(prefix: str) -> Path:
    """For a Unix socket, whose path may have a hundred bytes or so and no more."""
    for chosen in _temporary_folders():
        if len(os.fsencode(chosen)) <= TEMPORARY_FOLDER_LIMIT_BYTES:
            with suppress(OSError):
                return Path(tempfile.mkdtemp(prefix=prefix, dir=chosen))
    raise StartRefused("no folder for temporary files can be written; set TMPDIR to one with a short name.")


def _temporary_folders() -> Iterator[str]:
    with suppress(OSError):
        yield tempfile.gettempdir()
    yield from ("/tmp", "/run", str(settings.DATA_DIR))  # noqa: S108


def _allow_many_sockets() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES_WANTED if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES_WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _environment(folder: Path) -> dict[str, str]:
    """Without the first administrator, whose password is not for the servers; temporary files go where they can."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ADMIN_")}
    return kept | {"TMPDIR": str(folder)}


def _pass_on(logs: IO[bytes]) -> None:
    """Reads on even where nobody listens, so that the servers never wait for their log."""
    for line in logs:
        with suppress(OSError):
            os.write(2, line)


def _site_answers() -> bool:
    host = "127.0.0.1" if settings.HOST == "0.0.0.0" else settings.HOST  # noqa: S104
    connection = http.client.HTTPConnection(host, settings.PORT, timeout=ANSWER_TIMEOUT_S)
    try:
        connection.request("GET", "/healthz", headers={"Host": settings.ALLOWED_HOSTS[0]})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
