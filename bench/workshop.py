"""Everybody who is measured, and the place where their servers run."""

import itertools
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rig.site import Blueprint

from . import machine, site
from .servers import CACHE, PEERS, Server, SocketIOServer, TutorialServer, WsServer
from .site import DurablePostgreSQL, SiteServer


class Peer:
    """One column of the table."""

    def __init__(self, name: str, server: type[Server], **options: Any):
        self.name = name
        self.server = server
        self.options = options


SITE = Peer("site", SiteServer, processes=1, database="sqlite")
SITE_ON_POSTGRESQL = Peer("site PG", SiteServer, processes=1, database="postgresql")
TWO_SITES = Peer("site ×2", SiteServer, processes=2, database="sqlite")
TWO_SITES_ON_POSTGRESQL = Peer("site ×2 PG", SiteServer, processes=2, database="postgresql")
TUTORIAL_CORE = Peer("tutorial core", TutorialServer, layer="core")
TUTORIAL_PUBSUB = Peer("tutorial pub/sub", TutorialServer, layer="pubsub")
SOCKETIO = Peer("socket.io Redis", SocketIOServer, adapter="pubsub")
SOCKETIO_STREAMS = Peer("socket.io streams", SocketIOServer, adapter="streams")
WS = Peer("ws", WsServer)

EVERYBODY = [
    *(SITE, TWO_SITES, SITE_ON_POSTGRESQL, TWO_SITES_ON_POSTGRESQL),
    *(TUTORIAL_CORE, TUTORIAL_PUBSUB, SOCKETIO, SOCKETIO_STREAMS, WS),
]


class Workshop:
    """Where servers are started: folders, blueprints of sites, PostgreSQL. Nothing of it is left afterwards.

    Data is on the disk that the checkout is on; sockets have to have a short path.
    """

    def __init__(self) -> None:
        CACHE.mkdir(parents=True, exist_ok=True)
        self.split = machine.Split()
        self._data = Path(tempfile.mkdtemp(prefix="run-", dir=CACHE))
        self._sockets = Path(tempfile.mkdtemp(prefix="chatsite-bench-"))
        self._sockets.chmod(0o755)
        self._postgresql: DurablePostgreSQL | None = None
        self._blueprints: dict[str, Blueprint] = {}
        self._started = itertools.count(1)

    @contextmanager
    def running(self, peer: Peer, program: str | None = None) -> Iterator[Any]:
        """The server of this peer, until the end of the block. `program` serves a site instead of its usual one."""
        number = str(next(self._started))
        server = peer.server(_made(self._data / number), _made(self._sockets / number), self.split)
        try:
            options = dict(peer.options)
            if database := options.pop("database", None):
                options["env"] = self._blueprint(database).copy(server.folder / "data")
                options["program"] = program or site.program()
            server.start(**options)  # type: ignore[attr-defined]
            yield server
        except Exception as problem:
            problem.add_note(server.logs[-3000:])
            raise
        finally:
            server.stop()
            shutil.rmtree(server.folder, ignore_errors=True)

    def __enter__(self) -> "Workshop":
        return self

    def __exit__(self, *_: object) -> None:
        if self._postgresql is not None:
            self._postgresql.stop()
        for folder in (self._data, self._sockets):
            shutil.rmtree(folder, ignore_errors=True)

    def _blueprint(self, database: str) -> Blueprint:
        if database not in self._blueprints:
            url = self._postgresql_url() if database == "postgresql" else None
            self._blueprints[database] = Blueprint(_made(self._data / database), url)
        return self._blueprints[database]

    def _postgresql_url(self) -> str:
        if self._postgresql is None:
            self._postgresql = DurablePostgreSQL(_made(self._sockets / "postgresql"))
        return self._postgresql.url("postgres")


def install_node_peers() -> None:
    """The packages that bench/peers/package.json names, into a folder outside version control, once."""
    manifest = (PEERS / "package.json").read_text()
    installed = CACHE / "package.json"
    if installed.exists() and installed.read_text() == manifest and (CACHE / "node_modules").exists():
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    installed.write_text(manifest)
    command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
    subprocess.run(command, cwd=CACHE, check=True, stdout=subprocess.DEVNULL)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
