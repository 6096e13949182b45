"""The tests that keep the house, as to its words: no constant twice or for nothing, no name of what is not there."""

import ast
import re

import pytest

from tests.unit.test_house import MODULES, PROJECT, TESTS, TOOLS, dotted

TOOL_MODULES = [path for folder in sorted(TOOLS) for path in (PROJECT / folder).rglob("*.py")]
SOURCES = {path: path.read_text() for path in [*MODULES, *TOOL_MODULES, *TESTS.rglob("*.py")]}
# Django reads its settings by name.
SETTINGS = PROJECT / "chatsite" / "settings.py"


def constants(source):
    """The names in capitals that a module gives at its top."""
    given = (node for node in ast.parse(source).body if not isinstance(node, ast.AugAssign))
    for node in given:
        for target in getattr(node, "targets", [getattr(node, "target", None)]):
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            yield from (name.id for name in names if isinstance(name, ast.Name) and name.id.isupper())


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_a_constant_is_given_once(path):
    names = list(constants(SOURCES[path]))
    assert [name for name in set(names) if names.count(name) > 1] == []


@pytest.mark.parametrize("path", [path for path in MODULES if path != SETTINGS], ids=dotted)
def test_a_constant_is_used(path):
    """In its module, or in one that takes it from there."""
    unused = [name for name in set(constants(SOURCES[path])) if not is_used(name, path)]
    assert unused == []


def is_used(name, path):
    if len(re.findall(rf"\b{name}\b", SOURCES[path])) > 1:
        return True
    module = path.parent.name if path.stem == "__init__" else path.stem
    taken = rf"\b{module}\.{name}\b|\b{module} import (\([^)]*|[^\n(]*)\b{name}\b"
    return any(re.search(taken, source) for other, source in SOURCES.items() if other != path)


@pytest.mark.parametrize("path", [*MODULES, *TOOL_MODULES], ids=dotted)
def test_what_a_docstring_or_a_comment_names_is_there(path):
    """Files of ours, as paths, and programs, as `python -m`."""
    files = re.findall(r"(?<![\w/.])((?:accounts|chat|chatsite|rig|bench|chaos|tests)/[\w/]+\.py)\b", SOURCES[path])
    programs = re.findall(r"python -m ((?:accounts|chat|chatsite|rig|bench|chaos|tests)[\w.]*\w)", SOURCES[path])
    files += [program.replace(".", "/") + ".py" for program in programs]
    folders = {file: PROJECT / file.removesuffix(".py") / "__main__.py" for file in files}
    assert [file for file in files if not ((PROJECT / file).exists() or folders[file].exists())] == []
