"""The tests that keep the house: which module may import which, and which one owns each outside thing."""

import ast
import importlib
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent
CHAT = PROJECT / "chat"
TESTS = PROJECT / "tests"

# From top to bottom: an import goes to a lower row only, never up, never sideways.
ROWS = [
    {"routing", "urls"},
    {"consumers", "views", "api", "admin", "management"},
    {"middleware", "forms", "adapter"},
    {"conversation"},
    {"runtime", "catch_up"},
    {"hub", "link", "log", "presence", "revocation", "outgoing"},
    {"ledger", "access"},
    {"states"},
    {"models", "database"},
    {"dialects"},
    {"feed", "patience"},
    {"protocol"},
    {"conf", "names"},
]
BESIDE_THE_ROWS = {"__init__", "apps", "migrations", "static"}

MODULES = sorted(path for path in CHAT.rglob("*.py") if "migrations" not in path.parts)


def row_of(name):
    return next((number for number, row in enumerate(ROWS) if name in row), None)


def module_name(path):
    """`hub` for chat/hub.py, and `management` for all commands together."""
    return path.relative_to(CHAT).parts[0].removesuffix(".py")


def imported(path):
    """The modules of chat/ that a file imports while it runs; what is there for type checkers only does not count."""
    package = path.relative_to(PROJECT).with_suffix("").parts[:-1]
    return {name for node in _running(ast.parse(path.read_text())) for name in _names(node, package)}


def _running(node):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        yield child
        yield from _running(child)


def _names(node, package):
    if isinstance(node, ast.Import):
        dotted = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        base = package[: len(package) + 1 - node.level] if node.level else ()
        dotted = [".".join([*base, *filter(None, [node.module]), alias.name]) for alias in node.names]
    else:
        return []
    return [name.split(".")[1] for name in dotted if name.startswith("chat.")]


def lines_with(pattern, paths):
    """`file:line` of every match; comments and docstrings included, because they would be wrong as well."""
    return {
        f"{path.relative_to(PROJECT)}:{number}"
        for path in paths
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(pattern, line)
    }


def owners(pattern, paths):
    return {place.rpartition(":")[0] for place in lines_with(pattern, paths)}


# Rows


def test_every_module_has_its_row():
    found = {module_name(path) for path in MODULES} - BESIDE_THE_ROWS
    assert found == set.union(*ROWS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(CHAT)))
def test_an_import_goes_to_a_lower_row(path):
    row = row_of(module_name(path))
    if row is not None:
        assert {name for name in imported(path) if row_of(name) is None or row_of(name) <= row} == set()


def test_imports_are_seen_in_all_their_forms(tmp_path):
    file = CHAT / "example.py"
    forms = (
        "from . import hub\nfrom .log import Log\nimport chat.link\nfrom chat import conf\nfrom chat.feed import Feed\n"
        "def f():\n    from .models import Room\n"
        "if TYPE_CHECKING:\n    from .runtime import Runtime\n"
        "import json\nfrom django.conf import settings\n"
    )
    found = {name for node in _running(ast.parse(forms)) for name in _names(node, file.relative_to(PROJECT).parts[:-1])}
    assert found == {"hub", "log", "link", "conf", "feed", "models"}


@pytest.mark.parametrize("name", sorted(set.union(*ROWS[-4:])))
def test_the_ground_has_no_django_and_no_io(name):
    tree = ast.parse((CHAT / f"{name}.py").read_text())
    roots = {name.split(".")[0] for node in ast.walk(tree) for name in _outside_names(node)}
    assert roots & {"django", "channels", "daphne", "asyncio", "socket", "threading", "os", "pathlib", "redis"} == set()


def _outside_names(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []


# One owner of each outside thing

PYTHON = sorted({*CHAT.rglob("*.py"), *(PROJECT / "chatsite").rglob("*.py")})
PAGES = sorted([*(CHAT / "static").rglob("*.js"), *(PROJECT / "templates").rglob("*.html")])
WRITES_OF_MESSAGES = (
    r"(INSERT INTO|UPDATE|DELETE FROM) chat_message"
    r"|Message\.objects.*\.(create|bulk_create|update|bulk_update|update_or_create|get_or_create|delete)\("
    r"|messages\.(create|add|update|delete)\("
)


@pytest.mark.parametrize(
    ("pattern", "paths", "owner"),
    [
        (r"get_channel_layer|channel_layers|group_(send|add|discard)|new_channel", PYTHON, {"chat/link.py"}),
        (WRITES_OF_MESSAGES, PYTHON, {"chat/ledger.py"}),
        (r"(INSERT INTO|UPDATE) chat_room\b", PYTHON, {"chat/ledger.py"}),
        (r"msgspec\.json", PYTHON, {"chat/protocol.py", "chat/dialects.py"}),
        (r"struct\.pack|0x8[0-9a-f]\b", sorted(CHAT.rglob("*.py")), {"chat/protocol.py"}),
        (r"ThreadPoolExecutor|SimpleQueue|sync_to_async|\bBEGIN\b", PYTHON, {"chat/database.py"}),
        (r"TimestampSigner|signing\.", PYTHON, {"chat/access.py"}),
        (r"new [\w.#]*WebSocket\b", PAGES, {"chat/static/chat/connection.js"}),
        (r"indexedDB|localStorage|sessionStorage", PAGES, {"chat/static/chat/outbox.js"}),
    ],
    ids=[
        "the channel layer",
        "rows of messages",
        "numbers of rooms",
        "JSON of frames",
        "bytes of frames",
        "threads for the database",
        "tickets",
        "the browser's WebSocket",
        "the browser's storage",
    ],
)
def test_an_outside_thing_has_one_owner(pattern, paths, owner):
    assert owners(pattern, paths) == owner


# Refusals


@pytest.mark.parametrize("name", sorted(set.union(*ROWS) - {"management"}))
def test_no_exception_is_kept_to_be_raised_again(name):
    """A shared one would collect, and keep, every frame that it passes."""
    kept = [key for key, value in vars(importlib.import_module(f"chat.{name}")).items() if isinstance(value, Exception)]
    assert kept == []


# Tests

# Processes announce nothing when they start and end: whoever waits for that has to look again and again.
POLLING = {TESTS / "programs.py", *(TESTS / "integration").glob("test_serve*.py")}


def test_no_test_sleeps():
    """Waiting for an event is quicker, and true on a slow machine too."""
    assert lines_with(r"\btime\.sleep\(", sorted({*TESTS.rglob("*.py")} - POLLING - {Path(__file__)})) == set()
