"""Pages of changes as they are read: no message is missing before the head of a page, whatever became of it since."""

import random

import pytest

from accounts.models import User
from chat import limits
from chat.messages import ledger, pages
from chat.models import Message, Room
from chat.wire import verbs

pytestmark = pytest.mark.django_db(transaction=True)

LONG = "x" * 4_000


@pytest.fixture
def ada():
    Room.objects.create(slug="lobby", title="Lobby")
    return User.objects.create_guest("ada")


def write(person, *verbs):
    ledger.write([ledger.Entry(person.pk, verb) for verb in verbs])


def posts(count, text="good"):
    return [verbs.Post(room="lobby", nonce=f"{number}", text=text) for number in range(count)]


def edits(seqs):
    return [verbs.Edit(room="lobby", seq=seq, text=f"edit {number}") for number, seq in enumerate(seqs)]


def every_page(after, limit):
    """Every page from there on, as one who catches up asks for them."""
    room, read = Room.objects.get(slug="lobby"), []
    while not read or read[-1].more:
        read.append(pages._changes(room.pk, after, limit))
        assert read[-1].head > after
        after = read[-1].head
    return read


@pytest.mark.parametrize(("limit", "text"), [(20, "good"), (limits.CATCH_UP_PAGE, LONG)], ids=["many", "long"])
@pytest.mark.parametrize("after", [0, 50])
@pytest.mark.parametrize("seed", range(3))
def test_no_message_that_a_page_reaches_is_missing(ada, limit, text, after, seed, settings):
    settings.CHAT_POSTS_PER_S = 0
    write(ada, *posts(150, text))
    write(ada, *edits(random.Random(seed).choices(range(1, 151), k=200)))
    shown = {}
    for page in every_page(after, limit):
        states = page.changes + page.moved
        assert len(states) <= limit
        assert sum(len(state.body) for state in states) <= limits.PAGE_LIMIT_BYTES
        shown |= {state.seq: state.version for state in states}
        assert set(range(after + 1, min(page.head, 150) + 1)) <= set(shown)
    kept = dict(Message.objects.filter(version__gt=after).values_list("seq", "version"))
    assert shown == kept


def test_a_page_is_no_longer_when_everything_in_it_was_changed_since(ada, settings):
    settings.CHAT_POSTS_PER_S = 0
    write(ada, *posts(150))
    write(ada, *edits(range(1, 150)))
    first, *others = every_page(0, 20)
    assert (len(first.changes), len(first.moved), first.head) == (0, 20, 20)
    assert sum(len(page.changes) for page in others) == 150
