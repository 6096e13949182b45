"""What the documentation lists is what there is."""

import re
from pathlib import Path

import pytest

from chat import protocol

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def page(name):
    return (DOCS / name).read_text()


def modules():
    return sorted(path.name for path in (ROOT / "chat").glob("*.py") if path.name != "__init__.py")


def commands():
    folder = ROOT / "chat" / "management" / "commands"
    return sorted(path.stem for path in folder.glob("*.py") if path.stem not in ("__init__", "migrate"))


def settings():
    return sorted(set(re.findall(r'environment\.\w+\(\s*"([A-Z_]+)"', (ROOT / "chatsite" / "settings.py").read_text())))


def error_codes():
    code = re.compile(r'(?:Refusal|BrokenFrame|super\(\)\.__init__)\(\s*"(\w+)"|^\w+ = \("(\w+)", ', re.MULTILINE)
    sources = [path.read_text() for path in (ROOT / "chat").glob("*.py")]
    return sorted({found for source in sources for pair in code.findall(source) for found in pair if found})


@pytest.mark.parametrize("module", modules())
def test_every_module_has_its_line(module):
    assert f"`{module}`" in page("architecture.md")


@pytest.mark.parametrize("verb", [verb.__struct_config__.tag for verb in protocol.VERBS])
def test_every_verb_has_an_example_that_is_sent(verb):
    assert f'```json send\n{{"type": "{verb}"' in page("protocol.md")


@pytest.mark.parametrize("event", [event.__struct_config__.tag for event in protocol.Event.__subclasses__()])
def test_every_event_has_an_example(event):
    assert f'{{"type": "{event}"' in page("protocol.md")


@pytest.mark.parametrize("close", protocol.Close)
def test_every_close_code_has_its_row(close):
    assert re.search(rf"^\| {int(close)} \| {close.reason}", page("protocol.md"), re.MULTILINE)


@pytest.mark.parametrize("code", error_codes())
def test_every_error_has_its_row(code):
    assert f"| `{code}` |" in page("protocol.md")


@pytest.mark.parametrize("setting", settings())
def test_every_setting_has_its_row(setting):
    assert f"`{setting}`" in page("self-hosting.md")


@pytest.mark.parametrize("command", commands())
def test_every_command_has_its_line(command):
    assert f"manage.py {command}" in page("self-hosting.md")


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_every_link_leads_somewhere(path):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
        assert (path.parent / target).exists(), target
