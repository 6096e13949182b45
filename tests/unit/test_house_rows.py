"""The tests that keep the house, as to rows: messages and the numbers of rooms are written by the ledger alone."""

import ast
import re

import pytest

from tests.unit.test_house import MODULES, dotted

# Models write by methods, whatever the variable is called.
WRITES = {"save", "create", "update", "delete", "bulk_create", "bulk_update", "update_or_create", "get_or_create"}
# What modules that have messages in their hands write by hand: other rows, never messages.
OTHER_ROWS = {
    "chat.management.commands.prepare": {"Room.objects.filter(slug=FIRST_ROOM).update", "Room.objects.get_or_create"},
    "chat.management.commands.room": {"room.save"},
    "chat.pages.views": {"form.save"},
    "chat.pages.admin": {"super().save", "person.save"},
    "chat.rooms.unused_guests": {"guest.delete", "unused_guests().filter(name_key=names.key(name)).delete"},
}
# `Room.save` leaves them alone.
ROOM_NUMBERS = {"head", "posts", "floor"}


def writes(tree):
    """Every call that writes rows, or might."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "").removeprefix("a") in WRITES:
            yield node


def has_messages(tree):
    """Whether it has the model or somebody's messages, under any name: the word is in it."""
    return any(
        {getattr(node, "attr", ""), *(alias.name for alias in getattr(node, "names", []) if is_import(node))}
        & {"Message", "messages", "message_set"}
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) or (is_import(node) and not re.search(r"events|inbox", node.module or ""))
    )


def is_import(node):
    return isinstance(node, ast.ImportFrom)


def test_no_message_is_written_by_way_of_the_model():
    trees = {dotted(path): ast.parse(path.read_text()) for path in MODULES}
    found = {
        name: {ast.unparse(call.func) for call in writes(tree)} for name, tree in trees.items() if has_messages(tree)
    }
    assert {name: calls for name, calls in found.items() if calls} == OTHER_ROWS


def test_no_number_of_a_room_is_written_by_way_of_the_model():
    found = {dotted(path) for path in MODULES for call in writes(ast.parse(path.read_text())) if names_a_number(call)}
    assert found == {"chat.models.room"}


def names_a_number(call):
    words = {getattr(node, "arg", None) or getattr(node, "value", None) for node in ast.walk(call) if is_word(node)}
    return bool(words & ROOM_NUMBERS)


def is_word(node):
    return isinstance(node, ast.keyword) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


@pytest.mark.parametrize(
    "line",
    [
        "from chat.models import Message as M\nM(text='x').save()",
        "from chat import models\nmodels.Message.objects.filter(pk=1).update(text='x')",
        "for line in room.messages.all():\n    line.delete()",
        "from .message import Message\nawait Message.objects.acreate(text='x')",
    ],
)
def test_a_message_that_is_written_is_seen_in_all_its_forms(line):
    tree = ast.parse(line)
    assert has_messages(tree)
    assert list(writes(tree))


@pytest.mark.parametrize(
    "line",
    ["Room.objects.update(head=1)", "r.save(update_fields=['posts'])", "x.update(**{'floor': F('head')})"],
)
def test_a_number_that_is_written_is_seen_in_all_its_forms(line):
    assert [names_a_number(call) for call in writes(ast.parse(line))] == [True]
