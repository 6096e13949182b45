"""The tests that keep the house of the page's scripts: which folder may import which, and who knows the page."""

import re
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "chat" / "static" / "chat"
MODULE_LINES = 300

# What each folder may import besides itself.
BELOW = {
    "client": set(),
    "page": {"client"},
    "room": {"client", "page"},
    "rooms": {"client", "page"},
    "connection_test": {"client", "page"},
}
MODULES = sorted(SCRIPTS.rglob("*.js"))
NAMES = [str(path.relative_to(SCRIPTS)) for path in MODULES]
# A program has none of these. `globalThis` may be asked for what a program may have too, such as storage.
OF_A_PAGE = (
    r"\b(document|window|navigator|location|history|self|parent|top|frames|screen"
    r"|localStorage|sessionStorage|HTMLElement|Element|requestAnimationFrame|addEventListener)\b"
)


def code_of(path):
    """Without comments and the texts of strings."""
    text = re.sub(r"/\*.*?\*/|(?<![:\"'])//[^\n]*", "", path.read_text(), flags=re.DOTALL)
    return re.sub(r"\"[^\"\n]*\"|'[^'\n]*'", '""', text)


def imports(path):
    """The modules that a script imports, also in passing (`export … from`, `import(…)`)."""
    return [
        (path.parent / target).resolve()
        for target in re.findall(r"(?:from|import)\s*\(?\s*\"([^\"]+)\"", path.read_text())
    ]


def folder_of(path):
    return path.relative_to(SCRIPTS).parts[0]


def test_each_script_is_in_one_of_the_folders():
    assert {folder_of(path) for path in MODULES} == set(BELOW)


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_imports_point_down(path):
    assert {folder_of(target) for target in imports(path)} <= BELOW[folder_of(path)] | {folder_of(path)}


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_what_is_imported_is_there(path):
    assert [target for target in imports(path) if not target.exists()] == []


def test_no_scripts_import_each_other_in_a_circle():
    left = {path: set(imports(path)) for path in MODULES}
    while ready := [path for path, targets in left.items() if not targets & left.keys()]:
        for path in ready:
            del left[path]
    assert sorted(left) == []


@pytest.mark.parametrize("path", [path for path in MODULES if folder_of(path) == "client"], ids=lambda path: path.name)
def test_the_client_knows_no_page(path):
    """A program may use it, a worker, or a test."""
    assert re.findall(OF_A_PAGE, code_of(path)) == []


def test_no_script_is_too_long_to_be_read_at_once():
    assert [path.name for path in MODULES if len(path.read_text().splitlines()) > MODULE_LINES] == []
