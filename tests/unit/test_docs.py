"""What the documentation lists is what there is."""

import re
from pathlib import Path

import pytest

from chat.wire import closes, events, verbs

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

# Where docs/architecture.md lists them
MODULES = {
    "accounts/": "accounts/*.py",
    "chat/": "chat/*.py",
    "chat/wire/": "chat/wire/*.py",
    "chat/wire/dialects/": "chat/wire/dialects/*.py",
    "chat/models/": "chat/models/*.py",
    "chat/database/": "chat/database/*.py",
    "chat/rooms/": "chat/rooms/*.py",
    "chat/messages/": "chat/messages/*.py",
    "chat/live/": "chat/live/*.py",
    "chat/sockets/": "chat/sockets/*.py",
    "chat/pages/": "chat/pages/*.py",
    "chatsite/": "chatsite/*.py",
    "chatsite/server/": "chatsite/server/*.py",
    "chatsite/serve/": "chatsite/serve/*.py",
    "chat/static/chat/client/": "chat/static/chat/client/*.js",
    "chat/static/chat/page/": "chat/static/chat/page/*.js",
    "chat/static/chat/room/": "chat/static/chat/room/*.js",
    "chat/static/chat/rooms/": "chat/static/chat/rooms/*.js",
    "chat/static/chat/connection_test/": "chat/static/chat/connection_test/*.js",
}


def page(name):
    return (DOCS / name).read_text()


def section(name, heading):
    return re.split(r"^## ", page(name).split(f"\n## {heading}\n", 1)[-1], maxsplit=1, flags=re.MULTILINE)[0]


def modules():
    found = ((heading, path.name) for heading, files in MODULES.items() for path in sorted(ROOT.glob(files)))
    return [(heading, name) for heading, name in found if name not in ("__init__.py", "__main__.py")]


def internal_variables():
    sources = [path.read_text() for path in (ROOT / "chatsite").rglob("*.py")]
    return sorted({found for source in sources for found in re.findall(r'"(CHATSITE_[A-Z_]+)"', source)})


def commands():
    folder = ROOT / "chat" / "management" / "commands"
    return sorted(path.stem for path in folder.glob("*.py") if path.stem not in ("__init__", "migrate"))


def settings():
    return sorted(set(re.findall(r'environment\.\w+\(\s*"([A-Z_]+)"', (ROOT / "chatsite" / "settings.py").read_text())))


def error_codes():
    code = re.compile(
        r'(?:Refusal|BrokenFrame|super\(\)\.__init__)\(\s*"(\w+)"|^[A-Z_]+ = \("([a-z_]+)", "', re.MULTILINE
    )
    sources = [path.read_text() for path in (ROOT / "chat").rglob("*.py")]
    return sorted({found for source in sources for pair in code.findall(source) for found in pair if found})


@pytest.mark.parametrize(("heading", "module"), modules())
def test_every_module_has_its_line(heading, module):
    assert re.search(rf"^- .*`{re.escape(module)}`.* – \S", section("architecture.md", heading), re.MULTILINE)


@pytest.mark.parametrize("variable", internal_variables())
def test_every_variable_of_our_own_is_mentioned(variable):
    assert f"`{variable}" in page("architecture.md")


@pytest.mark.parametrize("verb", [verb.__struct_config__.tag for verb in verbs.VERBS])
def test_every_verb_has_an_example_that_is_sent(verb):
    assert f'```json send\n{{"type": "{verb}"' in page("protocol.md")


@pytest.mark.parametrize("event", [event.__struct_config__.tag for event in events.Event.__subclasses__()])
def test_every_event_has_an_example(event):
    assert re.search(rf'^```json(?: answer)?\n{{"type": "{event}"', page("protocol.md"), re.MULTILINE)


@pytest.mark.parametrize("close", closes.Close)
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


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_every_file_that_is_named_with_its_folder_is_there(path):
    """As it stands, or below chat/, where most are."""
    named = re.findall(r"`((?:\w+/)+\w+\.(?:py|js|css))`", path.read_text())
    assert [name for name in named if not ((ROOT / name).exists() or (ROOT / "chat" / name).exists())] == []


@pytest.mark.parametrize("path", sorted(set(DOCS.glob("*.md")) - {DOCS / "protocol.md"}), ids=lambda path: path.name)
def test_every_member_that_is_named_is_there(path):
    """`Class.member`, `module.member` and `_member`, in a file of ours. (protocol.md names fields of JSON.)"""
    named = re.findall(r"`((?:[A-Za-z]\w*\.)?[A-Za-z_]\w*)(?:\(\))?`", path.read_text())
    private = [name for name in named if name.startswith("_") and not is_member("", name)]
    owned = [name for name in named if "." in name and not NOT_OURS & set(name.split("."))]
    assert private + [name for name in owned if not is_member(*name.split("."))] == []


NOT_OURS = {"AsyncConsumer", "asyncio", "gc"} | {"css", "html", "js", "json", "md", "po", "py", "sqlite3", "txt", "v1"}
OUR_SOURCES = [
    (path.stem, path.read_text())
    for folder in ("accounts", "bench", "chaos", "chat", "chatsite", "rig", "tests")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".py", ".js")
]


def is_member(owner, name):
    """Whether a file with that name, or with that class, has the word."""
    return any(
        re.search(rf"\b{name}\b", source)
        for stem, source in OUR_SOURCES
        if owner in ("", stem) or re.search(rf"\bclass {owner}\b", source)
    )
