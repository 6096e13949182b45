"""What the ledger keeps of the nonces of changes, and for how long; and how often it waits for the database."""

import re
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection

from accounts.models import User
from chat import database, limits
from chat.messages import ledger
from chat.models import ChangeNonce, Message, Room
from chat.wire import codec, verbs
from rig.trips import TripCounter

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada():
    Room.objects.create(slug="lobby", title="Lobby")
    return User.objects.create_guest("ada")


def write(person, *verbs):
    outcomes, _ = ledger.write([ledger.Entry(person.pk, verb) for verb in verbs])
    return outcomes


def post(nonce="p"):
    return verbs.Post(room="lobby", nonce=nonce, text="good")


def edit(text, nonce):
    return verbs.Edit(room="lobby", seq=1, text=text, nonce=nonce)


def test_nonces_of_changes_are_forgotten_after_their_time(ada):
    write(ada, post(), edit("better", "old"), edit("best", "new"))
    long_ago = codec.now() - timedelta(seconds=limits.CHANGE_NONCES_KEPT_S + 1)
    ChangeNonce.objects.filter(nonce="old").update(created_at=long_ago)

    ledger.forget_old_nonces()

    assert [known.nonce for known in ChangeNonce.objects.all()] == ["new"]


def test_a_change_that_is_refused_may_come_again_with_its_nonce(ada):
    (refused,) = write(ada, edit("better", "n"))
    assert refused.code == "not_found"
    write(ada, post())
    (receipt,) = write(ada, edit("better", "n"))
    assert (receipt.version, receipt.is_repeat) == (2, False)


@pytest.fixture
def full_window(ada, settings):
    """As many posts as may come at once, a moment ago; returns the seconds of the window."""
    settings.CHAT_POSTS_PER_S = 5
    write(ada, *(post(str(n)) for n in range(limits.POSTS_BURST)))
    return limits.POSTS_BURST / settings.CHAT_POSTS_PER_S


def put_the_clock_back(seconds):
    for message in Message.objects.all():
        Message.objects.filter(pk=message.pk).update(created_at=message.created_at + timedelta(seconds=seconds))


def test_a_person_who_posts_too_fast_may_go_on_within_the_window(ada, full_window):
    (refused,) = write(ada, post("more"))
    assert refused.code == "rate_limited"
    assert 0 < refused.retry_after <= full_window


@pytest.mark.parametrize("seconds", [2 * 3600, 24 * 3600, 5])
def test_posts_from_before_the_clock_was_put_back_hold_nobody_up(ada, full_window, seconds):
    put_the_clock_back(seconds)
    (receipt,) = write(ada, post("after"))
    assert isinstance(receipt, ledger.Receipt)


def test_nobody_waits_longer_than_the_window_because_two_clocks_differ(ada, full_window):
    put_the_clock_back(0.9)
    (refused,) = write(ada, post("more"))
    assert refused.retry_after <= full_window


def test_posts_do_not_look_at_the_nonces_of_changes(ada, monkeypatch):
    asked = []
    with database.transaction() as statements:
        kind = type(statements)
        statements.commit([])
    together = kind.together
    monkeypatch.setattr(kind, "together", lambda self, queries: asked.extend(queries) or together(self, queries))
    write(ada, post("one"), post("two"))
    assert asked
    assert not [sql for sql in asked if "changenonce" in sql.sql]


def test_a_batch_waits_twice_for_a_database_elsewhere(ada):
    """The room's lock is held for as long as the trips take. SQLite is in the process."""
    assert trips_of_a_batch(ada) == (2 if connection.vendor == "postgresql" else 0)


def test_what_the_database_refuses_ends_one_transaction_only(ada):
    with pytest.raises(IntegrityError):
        commit(("INSERT INTO chat_room (id) VALUES (%s)", [(1,), (1,)]))
    (receipt,) = write(ada, post())
    assert receipt.seq == 1


def test_a_value_that_cannot_be_sent_leaves_nothing_of_its_transaction(ada):
    """What came before it has reached the database already."""
    with pytest.raises(Exception, match="object"):
        commit(("UPDATE chat_room SET head = %s WHERE slug = %s", [(7, "lobby"), (object(), "lobby")]))
    assert Room.objects.get().head == 0
    (receipt,) = write(ada, post())
    assert receipt.seq == 1


def test_a_mistake_between_reading_and_writing_changes_nothing(ada):
    with suppress(ZeroDivisionError), database.transaction() as statements:
        statements.together([database.Query("UPDATE chat_room SET head = 7 RETURNING id", [])])
        1 / 0  # noqa: B018
    assert Room.objects.get().head == 0
    (receipt,) = write(ada, post())
    assert receipt.seq == 1


def test_a_plan_from_when_there_were_no_messages_is_not_kept(ada):
    """It read all messages of an author to find one nonce."""
    with outside_the_pool():
        for number in range(10):
            write(ada, post(f"early/{number}"))
        say_much(ada)
        for number in range(10):
            write(ada, post(f"late/{number}"))
        assert index_that_finds_nonces(ada) == ("once" if connection.vendor == "postgresql" else None)


def say_much(person):
    """Twenty thousand messages that stand in the table before anything has counted them."""
    room = Room.objects.get()
    Message.objects.bulk_create(
        Message(room=room, author=person, seq=n, ordinal=n, version=n, nonce=str(n), created_at=codec.now())
        for n in range(11, 20_011)
    )
    Room.objects.update(head=20_010, posts=20_010)


def index_that_finds_nonces(person):
    """The one that PostgreSQL uses for the statement as it was prepared in this connection."""
    if connection.vendor == "sqlite":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements WHERE statement LIKE '%chat_message place%'")
        ((name,),) = cursor.fetchall()
        cursor.execute(f"EXPLAIN EXECUTE {name}('lobby', {person.pk}, 'a')")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    return re.search(r"using (\w+) on chat_message", plan)[1]


def commit(*writes):
    with database.transaction() as statements:
        statements.commit(writes)


def trips_of_a_batch(person):
    if connection.vendor == "sqlite":
        return 0
    with TripCounter(connection.settings_dict["OPTIONS"]["host"]) as counter, outside_the_pool(by_tcp=counter.port):
        write(person, post("prepared"), edit("prepared", "prepared"))
        trips_before = counter.trips
        write(person, post("one"), post("two"), edit("better", "n"))
        return counter.trips - trips_before


@contextmanager
def outside_the_pool(by_tcp=None):
    """A new connection for this thread; by TCP, through that port of this machine, where one is given."""
    if connection.vendor == "sqlite":
        yield
        return
    settings = dict(connection.settings_dict)
    left_out = ("pool", "host") if by_tcp else ("pool",)
    options = {name: value for name, value in settings["OPTIONS"].items() if name not in left_out}
    connection.close()
    connection.settings_dict |= {"OPTIONS": options} | ({"HOST": "127.0.0.1", "PORT": by_tcp} if by_tcp else {})
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict |= settings
