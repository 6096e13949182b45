"""The tests that keep the house of the page's scripts: which folder may import which, and who knows the page."""

import re
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "chat" / "static" / "chat"
MODULE_LINES, FUNCTION_LINES = 300, 25

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
# A program has none of these, or others; what it has is handed in, so that nobody has to guess what is needed.
OF_A_PAGE = (
    r"\b(document|window|navigator|location|history|self|parent|top|frames|screen"
    r"|globalThis|localStorage|sessionStorage|HTMLElement|Element|requestAnimationFrame|addEventListener)\b"
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


def functions(text):
    """The first line of each function that has more than one, and how many it has; the form of the code is fixed."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if re.search(r"(\) |=> )\{$", line) and not re.match(STATEMENT, line):
            indent = re.match(r"\s*", line)[0]
            end = next(n for n in range(number + 1, len(lines)) if re.match(rf"{indent}\}}", lines[n]))
            yield line.strip(), end - number + 1


STATEMENT = r"\s*(\} else )?(if|for|while|switch|with)\b|.*\bcatch\b"


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_no_function_is_too_long_to_be_read_at_a_glance(path):
    assert [first for first, lines in functions(path.read_text()) if lines > FUNCTION_LINES] == []


def test_functions_are_measured_in_all_their_forms():
    forms = (
        "class A {\n  #one(a) {\n    if (a) {\n    }\n  }\n}\nexport async function two() {\n}\n"
        "const three = (a) => {\n};\nfor (const b of c) {\n}\nd.on((e) => {\n  f();\n});\n"
    )
    found = [
        ("#one(a) {", 4),
        ("export async function two() {", 2),
        ("const three = (a) => {", 2),
        ("d.on((e) => {", 3),
    ]
    assert list(functions(forms)) == found
