"""Pytest's plugin for real servers: loaded with -p, so that they run before Django reads its settings.

The run has one PostgreSQL (with --database=postgresql); every process of the run has its own Valkey.
"""

import os
import shutil
from pathlib import Path

import pytest

from chatsite.serve.processes import short_folder
from rig.programs import PostgreSQL, Program, Valkey
from rig.site import SETTINGS, Blueprint, Site

# The first process of a run leaves these in the environment for xdist's workers.
POSTGRESQL_URL = "TESTS_POSTGRESQL_URL"
SHARED_FOLDER = "TESTS_SHARED_FOLDER"


class Servers:
    """What runs for this process of the run, and the environment that leads to it."""

    def __init__(self) -> None:
        self.folder = short_folder("chatsite-tests-")
        self.folder.chmod(0o755)
        self._programs: list[Program] = []

    def start(self, database: str) -> None:
        for name in SETTINGS:
            os.environ.pop(name, None)
        valkey = Valkey(self.folder)
        self._programs.append(valkey)
        data = self.folder / "data"
        data.mkdir()
        os.environ |= {"DATA_DIR": str(data), "REDIS_URL": valkey.url}
        os.environ.setdefault(SHARED_FOLDER, str(self.folder))
        if database == "postgresql":
            os.environ["DATABASE_URL"] = self._postgresql().replace("/postgres?", "/chatsite?")

    def _postgresql(self) -> str:
        if POSTGRESQL_URL not in os.environ:
            folder = self.folder / "postgresql"
            folder.mkdir()
            postgresql = PostgreSQL(folder)
            self._programs.append(postgresql)
            os.environ[POSTGRESQL_URL] = postgresql.url("postgres")
        return os.environ[POSTGRESQL_URL]

    def stop(self) -> None:
        for program in self._programs:
            program.stop()
        shutil.rmtree(self.folder)


servers = Servers()


def pytest_addoption(parser):
    parser.addoption("--database", choices=["sqlite", "postgresql"], default="sqlite", help="on which database")


def pytest_configure(config):
    config.addinivalue_line("markers", "may_complain: the servers of this test may write tracebacks")
    config.addinivalue_line("markers", "one_database: nothing of this test is up to the database; SQLite will do")


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config):
    servers.start(early_config.known_args_namespace.database)
    return (yield)


def pytest_unconfigure():
    servers.stop()


def pytest_report_header(config):
    return f"database: {config.option.database}"


@pytest.fixture(scope="session")
def blueprint():
    return Blueprint(Path(os.environ[SHARED_FOLDER]), os.environ.get(POSTGRESQL_URL))


@pytest.fixture
def start_site(blueprint, request):
    """start_site(count, SETTING="value", server="daphne") gives a Site, which ends with the test.

    Its servers may not have written a traceback, unless the test is marked with may_complain.
    """
    sites = []

    def start(count: int = 2, server: str = "chatsite.server", **settings: str) -> Site:
        folder = short_folder("chatsite-site-")
        sites.append(Site(folder, blueprint.copy(folder / "data") | settings, server))
        for _ in range(count):
            sites[-1].add_process()
        return sites[-1]

    yield start
    logs = "".join(_end(site) for site in sites)
    request.node.add_report_section("teardown", "servers", logs)
    assert "Traceback" not in logs or request.node.get_closest_marker("may_complain")


@pytest.fixture
def site(start_site):
    """Two processes."""
    return start_site()


def _end(site: Site) -> str:
    site.stop()
    logs = site.logs
    shutil.rmtree(site.folder)
    return logs
