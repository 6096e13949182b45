"""The tests that keep the house: which folder may import which, and which module owns each outside thing."""

import ast
import importlib
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent
CHAT = PROJECT / "chat"
TESTS = PROJECT / "tests"
TOOLS = {"bench", "chaos", "rig"}
PRODUCT = sorted({path.parent.name for path in PROJECT.glob("*/*.py")} - TOOLS - {"tests"})
MODULE_LINES, FUNCTION_LINES = 300, 25


def is_beside_the_rows(path):
    """Migrations, and what browsers get."""
    return CHAT / "static" in path.parents or (path.parent.name == "migrations" and path.parents[2] == PROJECT)


MODULES = sorted(
    path for folder in PRODUCT for path in (PROJECT / folder).rglob("*.py") if not is_beside_the_rows(path)
)
TOOL_MODULES = sorted(path for folder in TOOLS for path in (PROJECT / folder).rglob("*.py"))

# The folders of chat/, from top to bottom: an import goes to a lower row only, never sideways.
ROWS = [
    {"apps", "management"},
    {"pages", "sockets"},
    {"live"},
    {"messages"},
    {"rooms"},
    {"database"},
    {"models"},
    {"wire"},
    {"limits"},
]
# What a top-level package, or a folder of it, may import of ours.
PACKAGES = {
    "chatsite.server": {"chatsite.server"},
    "chatsite.serve": {"chatsite"},
    "accounts": {"accounts"},
    "chat": {"accounts", "chat", "chatsite.environment", "chatsite.serve", "chatsite.server.outages"},
    "chatsite": {"chatsite", "chat", "accounts"},
}
GROUND = sorted([*(CHAT / "wire").rglob("*.py"), CHAT / "limits.py", CHAT / "live" / "feed.py"])
SURROUNDINGS = {"django", "channels", "daphne", "asyncio", "socket", "threading", "os", "pathlib", "redis"}


def dotted(path):
    """`chat.live.hub` for chat/live/hub.py; a package for its __init__.py."""
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {dotted(path): path for path in MODULES}


def imported(path):
    """The modules of ours that a file imports; an import for type checkers only counts as well."""
    package = path.relative_to(PROJECT).with_suffix("").parts[:-1]
    return {name for node in ast.walk(ast.parse(path.read_text())) for name in _ours(node, package)}


def _ours(node, package):
    if isinstance(node, ast.Import):
        names = [(alias.name, "") for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        base = package[: len(package) + 1 - node.level] if node.level else ()
        module = ".".join([*base, *filter(None, [node.module])])
        names = [(module, alias.name) for alias in node.names]
    else:
        return []
    full = [f"{module}.{name}" if f"{module}.{name}" in NAMES else module for module, name in names]
    return [name for name in full if name.split(".")[0] in PRODUCT]


def row_of(name):
    """The row of a module of chat/."""
    folder = name.split(".")[1]
    return next((number for number, row in enumerate(ROWS) if folder in row), None)


def is_within(name, folders):
    return any(name == folder or name.startswith(folder + ".") for folder in folders)


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


@pytest.mark.parametrize("name", sorted(name for name in NAMES if name.startswith("chat.")))
def test_an_import_goes_to_a_lower_row(name):
    row = row_of(name)
    assert row is not None, "a folder without a row"
    ours = {other for other in imported(NAMES[name]) if other.startswith("chat.")}
    own_folder = name.split(".")[1]
    wrong = {other for other in ours if other.split(".")[1] != own_folder and (row_of(other) or 0) <= row}
    assert wrong == set()


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_package_imports_what_it_may(name):
    package = next(package for package in PACKAGES if is_within(name, {package}))
    assert {other for other in imported(NAMES[name]) if not is_within(other, PACKAGES[package])} == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_what_a_package_may_import_it_does_import(package):
    used = {other for name in NAMES if is_within(name, {package}) for other in imported(NAMES[name])}
    assert [allowed for allowed in PACKAGES[package] if not any(is_within(other, {allowed}) for other in used)] == []


def test_no_modules_import_each_other_in_a_circle():
    graph = {name: {other for other in imported(path) if other in NAMES} - {name} for name, path in NAMES.items()}
    while leaves := [name for name, others in graph.items() if not others & graph.keys()]:
        for name in leaves:
            del graph[name]
    assert graph == {}


def test_imports_are_seen_in_all_their_forms():
    forms = (
        "from . import hub\nfrom .link import Link\nimport chat.live.feed\nfrom chat import limits\n"
        "from chat.messages.ledger import Entry\n"
        "def f():\n    from chat.models import Room\n"
        "if TYPE_CHECKING:\n    from .runtime import Runtime\n"
        "import json\nfrom django.conf import settings\n"
    )
    found = {name for node in ast.walk(ast.parse(forms)) for name in _ours(node, ("chat", "live"))}
    live = {f"chat.live.{name}" for name in ("hub", "link", "feed", "runtime")}
    assert found == {*live, "chat.limits", "chat.messages.ledger", "chat.models"}


@pytest.mark.parametrize("path", GROUND, ids=dotted)
def test_the_ground_has_no_django_and_no_io(path):
    assert [name for name in reached(path) if outside_roots(NAMES[name]) & SURROUNDINGS] == []


def test_what_the_ground_imports_of_other_packages_is_followed():
    assert {"accounts.text", "accounts", "chat"} <= reached(CHAT / "wire" / "codec.py")
    assert "django" in outside_roots(NAMES["accounts.models"])


def reached(path):
    """The modules of ours that are loaded with a file: what it imports, what that imports, and their packages."""
    found, waiting = set(), {dotted(path)}
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= ({*imported(NAMES[name]), name.rpartition(".")[0]} & NAMES.keys()) - found
    return found


def outside_roots(path):
    return {name.split(".")[0] for node in ast.walk(ast.parse(path.read_text())) for name in _outside_names(node)}


def _outside_names(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []


# Sizes


def test_no_module_is_too_long_to_be_read_at_once():
    too_long = {dotted(path) for path in [*MODULES, *TOOL_MODULES] if len(path.read_text().splitlines()) > MODULE_LINES}
    assert too_long == set()


def test_no_function_is_too_long_to_be_read_at_a_glance():
    too_long = {
        f"{dotted(path)}.{name}"
        for path in [*MODULES, *TOOL_MODULES]
        for name, lines in functions(ast.parse(path.read_text()))
        if lines > FUNCTION_LINES
    }
    assert too_long == set()


def functions(tree):
    """Each with its lines, from its first decorator on."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])
            yield getattr(node, "name", "lambda"), node.end_lineno - first + 1


def test_functions_are_measured_in_all_their_forms():
    forms = "@a(\n 1)\nasync def one():\n    pass\nclass C:\n    def two(self):\n        return lambda: (\n  1,\n)\n"
    assert sorted(functions(ast.parse(forms))) == [("lambda", 3), ("one", 4), ("two", 4)]


# One owner of each outside thing

PYTHON = MODULES
PAGES = sorted([*(CHAT / "static").rglob("*.js"), *(PROJECT / "templates").rglob("*.html")])
WRITES_OF_MESSAGES = (
    r"(INSERT INTO|UPDATE|DELETE FROM) chat_message"
    r"|Message\.objects.*\.(create|bulk_create|update|bulk_update|update_or_create|get_or_create|delete)\("
    r"|messages\.(create|add|update|delete)\("
)


@pytest.mark.parametrize(
    ("pattern", "paths", "owner"),
    [
        (
            r"get_channel_layer|channel_layers|group_(send|add|discard)|new_channel",
            PYTHON,
            {"chat/live/link.py", "chatsite/server/courier.py"},
        ),
        (WRITES_OF_MESSAGES, PYTHON, {"chat/messages/rows.py"}),
        (r"_default_manager|_base_manager|get_model\b", PYTHON, set()),
        (r"importlib|import_module|import_string|__import__|\bexec\(|\beval\(", PYTHON, set()),
        (r"rows\.(INSERT|UPDATE)\b", PYTHON, {"chat/messages/ledger.py"}),
        (r"(INSERT INTO|UPDATE) chat_room\b", PYTHON, {"chat/messages/ledger.py"}),
        (r"msgspec\.json", PYTHON, {"chat/wire/codec.py"}),
        (r"struct\.pack|0x8[0-9a-f]\b", sorted(CHAT.rglob("*.py")), {"chat/wire/frame.py"}),
        (r"ThreadPoolExecutor|SimpleQueue|sync_to_async", PYTHON, {"chat/database/threads.py"}),
        (r"\bBEGIN\b", PYTHON, {"chat/database/transaction.py"}),
        (r"TimestampSigner|signing\.", PYTHON, {"accounts/tickets.py"}),
        (r"new [\w.#]*WebSocket\b", PAGES, {"chat/static/chat/client/connection.js"}),
        (r"indexedDB|localStorage|sessionStorage", PAGES, {"chat/static/chat/client/store.js"}),
    ],
    ids=[
        "the channel layer",
        "statements that write messages",
        "ways around the managers of models",
        "ways around import",
        "rows of messages",
        "numbers of rooms",
        "JSON of frames",
        "bytes of frames",
        "threads for the database",
        "transactions",
        "tickets",
        "the browser's WebSocket",
        "the browser's storage",
    ],
)
def test_an_outside_thing_has_one_owner(pattern, paths, owner):
    assert owners(pattern, paths) == owner


# Refusals


@pytest.mark.parametrize("name", sorted(name for name in NAMES if name.startswith(("chat.", "accounts."))))
def test_no_exception_is_kept_to_be_raised_again(name):
    """A shared one would collect, and keep, every frame that it passes."""
    kept = [key for key, value in vars(importlib.import_module(name)).items() if isinstance(value, Exception)]
    assert kept == []


# Tests

# Where a test, or what tests stand on, may let time pass: in what file, which function, and why.
SLEEPERS = {
    "rig/waiting.py": {"found_within", "wait_until", "turns"},  # the one place that looks again and again
    "rig/programs.py": {"_wait_until_ready"},  # a program that does not start is ended and quoted
    "rig/person.py": {"_come_and_go", "_beat", "_after"},  # the clock of a good client: heartbeats, backing off
    "tests/integration/tiny_app.py": {"flood", "slow_accept", "slow"},  # an application that is slow
    "tests/integration/test_server.py": {  # a peer that is slow
        "test_a_peer_that_reads_slowly_is_not_cut",
        "test_what_comes_before_the_handshake_is_answered_is_kept",
        "trickle_frames",
        "test_a_request_that_comes_byte_by_byte_is_cut",
        "test_a_request_that_takes_long_but_goes_on_is_served",
    },
    "tests/integration/test_layer.py": {"publish_again_and_again"},  # what is lost while a line is dead
    "tests/integration/guarantees/test_restarts.py": {"write"},  # people who write at the pace of people
    "tests/integration/guarantees/test_order.py": {  # heartbeats, which count by the time between them
        "stands_at",
        "beat_at",
        "test_who_is_on_the_way_is_not_told_again",
    },
}
SLEEP = {"time.sleep", "asyncio.sleep", "sleep", "wait_for_timeout"}


def sleepers(tree):
    """The innermost functions in which something sleeps; "" is the module itself."""
    scopes = [node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef)]
    return {getattr(scope, "name", "") for scope in scopes if any(map(_is_sleep, _own_nodes(scope)))}


def _own_nodes(scope):
    """Without those of the functions in it."""
    for node in ast.iter_child_nodes(scope):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
            yield from _own_nodes(node)


def _is_sleep(node):
    if not isinstance(node, ast.Call):
        return False
    name = ast.unparse(node.func)
    return name in SLEEP or name.rpartition(".")[2] in SLEEP - {"sleep"}


def test_no_test_sleeps():
    """Waiting for an event is quicker, and true on a slow machine too. What announces nothing: rig/waiting.py."""
    paths = [*TESTS.rglob("*.py"), *(PROJECT / "rig").rglob("*.py")]
    found = {str(path.relative_to(PROJECT)): sleepers(ast.parse(path.read_text())) for path in paths}
    assert {path: names for path, names in found.items() if names} == SLEEPERS


@pytest.mark.parametrize(
    "line", ["time.sleep(1)", "await asyncio.sleep(0)", "await sleep(1)", "await page.wait_for_timeout(100)"]
)
def test_a_sleep_is_seen_in_all_its_forms(line):
    assert sleepers(ast.parse(line)) == {""}
    inner = f"async def outer():\n    async def inner():\n        while True:\n            {line}\n"
    assert sleepers(ast.parse(inner)) == {"inner"}
