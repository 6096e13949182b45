"""The site that is to be broken: server processes that come back when they end, a Valkey, and a database."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from pathlib import Path

from rig.programs import Daphne, Valkey, free_port, listens
from rig.site import PROJECT, environment, manage, run_python
from rig.waiting import found_within

from .database import Database, PostgreSQLDatabase, SQLiteDatabase

WATCH_INTERVAL_S = 0.05
READY_TIMEOUT_S = 60
STOP_TIMEOUT_S = 20


class Courier(Valkey):
    """Started without waiting for it: nobody here may block."""

    def _wait_until_ready(self) -> None: ...


class Server(Daphne):
    """One server process, of the real application, or of one with a fault planted in it."""

    APPLICATION = "chatsite.asgi:application"
    WITH_FAULT = "chaos.planted:application"

    def __init__(self, server: str, log: Path, env: dict[str, str], planted: str):
        self.fault = planted
        self._usual_fault = planted
        super().__init__(server, free_port(), log, env)

    def start(self) -> None:
        """With `fault` this once, as usual after that."""
        assert self._env is not None
        self._command[-1] = self.WITH_FAULT if self.fault else self.APPLICATION
        self._env = {**self._env, "CHAOS_FAULT": self.fault}
        self.fault = self._usual_fault
        super().start()

    def _wait_until_ready(self) -> None: ...

    async def ready(self) -> None:
        """Wait until it listens; TimeoutError when it does not."""
        if not await found_within(READY_TIMEOUT_S, lambda: listens(self._port)):
            raise TimeoutError(f"{self.url} does not listen")

    async def ended(self, within_s: float) -> bool:
        """Wait for it to end; say whether it did."""
        return bool(await found_within(within_s, lambda: not self.is_running))


class ChaosSite:
    """Everything that runs. `keep_running` does what supervisor does; `stop` leaves nothing behind."""

    def __init__(self, database: str, processes: int, server: str, planted: str):
        self.folder = Path(tempfile.mkdtemp(prefix="chaos-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.valkey: Courier | None = None
        self.database: Database | None = None
        self.servers: list[Server] = []
        self.env: dict[str, str] = {}
        self._kind = database
        self._processes = processes
        self._server = server
        self._planted = planted
        self._is_stopping = False

    def prepare(self, settings: dict[str, str]) -> None:
        """Everything but the servers."""
        data = self.folder / "data"
        data.mkdir()
        self.valkey = Courier(self.folder)
        self.env = environment(data) | {"REDIS_URL": self.valkey.url, "PYTHONPATH": str(PROJECT)} | settings
        if self._kind == "postgresql":
            self.database = PostgreSQLDatabase(self.folder)
            self.env["DATABASE_URL"] = self.database.url
        else:
            self.database = SQLiteDatabase(data / "chatsite.sqlite3")
        manage(self.env, "prepare")
        if self._planted == "no-nonce":
            run_python(self.env, "-m", "chaos.planted")

    async def start(self) -> None:
        for number in range(self._processes):
            env = {**self.env, "CHATSITE_PROCESS": f"c{number}"}
            self.servers.append(Server(self._server, self.folder / f"server{number}.log", env, self._planted))
        await asyncio.gather(*(server.ready() for server in self.servers))

    async def keep_running(self) -> None:
        """A server that ended is started again, whatever ended it."""
        while not self._is_stopping:
            for server in self.servers:
                if not server.is_running:
                    server.start()
            await asyncio.sleep(WATCH_INTERVAL_S)

    async def ready(self) -> None:
        await asyncio.gather(*(server.ready() for server in self.servers))

    @property
    def urls(self) -> list[str]:
        return [server.ws_url for server in self.servers]

    @property
    def logs(self) -> str:
        return "".join(server.log.read_text(errors="replace") for server in self.servers)

    async def stop(self) -> None:
        """Every process that was started here is ended by its id; none is left, however often this is called."""
        self._is_stopping = True
        for server in self.servers:
            if server.is_running:
                server.ask_to_stop()
        for server in self.servers:
            if not await server.ended(within_s=STOP_TIMEOUT_S):
                server.kill(signal.SIGKILL)
        if self.valkey is not None:
            self.valkey.thaw()
            self.valkey.stop()
        if self.database is not None:
            self.database.stop()
