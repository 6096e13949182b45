"""Where a measure is taken: real sites, their servers on one core, and everything else on another."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from bench import machine
from bench.site import NO_LIMIT, DurablePostgreSQL
from chatsite.serve.processes import short_folder
from rig.site import Blueprint, Site

DATABASES = ["sqlite", "postgresql"]


class Stage:
    """Sites on one kind of database. Nothing of it is left afterwards."""

    def __init__(self, database: str):
        self.database = database
        self.cores = machine.Split()
        self._folder = short_folder("chatsite-measures-")
        self._folder.chmod(0o755)
        self._postgresql: DurablePostgreSQL | None = None

    def __enter__(self) -> Self:
        url = None
        if self.database == "postgresql":
            (self._folder / "postgresql").mkdir()
            self._postgresql = DurablePostgreSQL(self._folder / "postgresql")
            url = self._postgresql.url("postgres")
        self._blueprint = Blueprint(self._folder, url)
        return self

    def __exit__(self, *_: object) -> None:
        if self._postgresql is not None:
            self._postgresql.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextmanager
    def site(self, processes: int, program: str = "chatsite.server", **settings: str) -> Iterator[Site]:
        folder = short_folder("chatsite-measured-")
        site = Site(folder, self._blueprint.copy(folder / "data") | NO_LIMIT | settings, program)
        try:
            for number in range(processes):
                with machine.on_core(self.cores.server(number)):
                    site.add_process()
            yield site
        except Exception as problem:
            problem.add_note(site.logs[-3_000:])
            raise
        finally:
            site.stop()
            shutil.rmtree(folder, ignore_errors=True)

    def start_again(self, site: Site, number: int) -> None:
        """The process that was killed, at the same address and on the same core."""
        with machine.on_core(self.cores.server(number)):
            site.start(number)
