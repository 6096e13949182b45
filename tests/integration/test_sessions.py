"""How long people stay: sessions that are used go on, guests who left nothing are forgotten, nobody else is."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone

from accounts import sessions
from accounts.identity import session_fingerprint
from accounts.models import User
from accounts.session_store import KEPT_AGAIN_AFTER, own_cookie_name
from chat.models import AccessNotice, Membership, Message, Room
from chat.rooms import unused_guests
from chat.rooms.unused_guests import UNCLAIMED_KEPT, forget_unused_guests

pytestmark = pytest.mark.django_db

A_MOMENT = timedelta(minutes=5)


@pytest.fixture
def lobby():
    return Room.objects.create(slug="lobby", title="Lobby")


@pytest.fixture
def alice():
    return User.objects.create_user("alice", password="seven-green-bottles")


@pytest.fixture
def signed_in(client, alice):
    client.force_login(alice)
    return client


@pytest.fixture
def full(settings):
    return timedelta(seconds=settings.SESSION_COOKIE_AGE)


def row():
    return Session.objects.get()


def is_about(moment, other):
    return abs(moment - other) < A_MOMENT


def let_pass(time):
    """The session, and whoever has it, are that much older."""
    session = row()
    session.expire_date -= time
    session.save()
    User.objects.update(last_login=timezone.now() - time)


# Sessions that are used


def test_a_session_that_is_used_goes_on_and_the_browser_is_told(signed_in, full, alice):
    let_pass(full - A_MOMENT)
    answer = signed_in.get("/")
    assert "You are alice" in answer.text
    assert is_about(row().expire_date, timezone.now() + full)
    assert answer.cookies[own_cookie_name()]["max-age"] == full.total_seconds()
    alice.refresh_from_db()
    assert is_about(alice.last_login, timezone.now())


def test_a_session_is_kept_again_once_a_day_and_not_with_every_page(signed_in, full):
    let_pass(KEPT_AGAIN_AFTER - A_MOMENT)
    ends_at = row().expire_date
    answer = signed_in.get("/")
    assert row().expire_date == ends_at
    assert own_cookie_name() not in answer.cookies


def test_a_session_that_is_over_does_not_go_on(signed_in, full):
    let_pass(full + A_MOMENT)
    assert "You are alice" not in signed_in.get("/").text
    assert signed_in.get("/keep/").status_code == 302


def test_a_guests_year_begins_again(client, lobby):
    client.post("/enter/", {"name": "guest"})
    year = row().expire_date - timezone.now()
    assert year > timedelta(days=360)
    let_pass(timedelta(days=300))
    client.get("/")
    assert is_about(row().expire_date, timezone.now() + year)


def test_somebody_who_only_listens_is_here_too(signed_in, full, alice):
    """A page that is left open loads nothing: its socket says that its session is used."""
    let_pass(full - A_MOMENT)
    before = AccessNotice.objects.count()
    sessions.move_on({row().session_key, "of-nobody"})
    assert is_about(row().expire_date, timezone.now() + full)
    alice.refresh_from_db()
    assert is_about(alice.last_login, timezone.now())
    assert AccessNotice.objects.count() == before, "nobody is to be checked again for that"


def test_a_guest_who_only_listens_has_their_year_again(client, lobby):
    client.post("/enter/", {"name": "guest"})
    year = row().expire_date - timezone.now()
    let_pass(timedelta(days=350))
    sessions.move_on({row().session_key})
    assert is_about(row().expire_date, timezone.now() + year)


def test_a_session_that_is_over_is_not_revived_by_an_open_socket(signed_in, full):
    let_pass(full + A_MOMENT)
    ended_at = row().expire_date
    sessions.move_on({row().session_key})
    assert row().expire_date == ended_at


def test_expired_sessions_are_taken_away_and_the_others_are_not(signed_in, client, full):
    signed_in.get("/")
    Session.objects.create(session_key="old", session_data="", expire_date=timezone.now() - A_MOMENT)
    sessions.forget_expired()
    assert row().expire_date > timezone.now()


# Sessions that end


@pytest.mark.parametrize("how", ["signing out", "deleting it", "signing in as somebody else", "a new password"])
def test_however_a_session_ends_its_sockets_are_told_to_go(signed_in, alice, how):
    signed_in.get("/")
    key = row().session_key
    if how == "signing out":
        signed_in.post("/accounts/logout/")
    elif how == "deleting it":
        row().delete()
    elif how == "signing in as somebody else":
        signed_in.force_login(User.objects.create_guest("bob"))
    else:
        fields = {"oldpassword": "seven-green-bottles", "password1": "nine-red-lorries"}
        signed_in.post("/accounts/password/change/", fields)
    named = {name for notice in AccessNotice.objects.all() for name in (notice.session, notice.user_id)}
    assert named & {session_fingerprint(key), alice.pk}
    assert key not in sessions.standing({alice.pk}, {key}).sessions


def test_a_session_that_was_over_anyway_is_news_to_nobody(signed_in, full):
    let_pass(full + A_MOMENT)
    row().delete()
    assert not AccessNotice.objects.exists()


# Guests who left nothing


def guest(name="guest", age=timedelta(0), **fields):
    made = User.objects.create_guest(name, claimed=fields.pop("claimed", True))
    User.objects.filter(pk=made.pk).update(**{"date_joined": timezone.now() - age, "last_login": None, **fields})
    return made


def says_something(user, room):
    Message.objects.create(room=room, author=user, seq=1, ordinal=1, version=1, nonce="n", created_at=timezone.now())


def names():
    return set(User.objects.values_list("username", flat=True))


def test_a_guest_who_left_nothing_is_forgotten_after_as_long_as_a_session_lasts(full):
    guest("gone", full + A_MOMENT)
    guest("here", full - A_MOMENT)
    assert forget_unused_guests() == 1
    assert names() == {"here"}


def test_a_name_that_nobody_can_prove_to_be_again_is_forgotten_after_a_day():
    guest("gone", UNCLAIMED_KEPT + A_MOMENT, claimed=False)
    guest("here", UNCLAIMED_KEPT - A_MOMENT, claimed=False)
    guest("claimed", UNCLAIMED_KEPT + A_MOMENT)
    assert forget_unused_guests() == 1
    assert names() == {"here", "claimed"}


def test_a_guest_who_was_here_lately_is_kept_however_old(full):
    guest("regular", 3 * full, last_login=timezone.now())
    assert forget_unused_guests() == 0


@pytest.mark.parametrize("trace", ["message", "reaction", "account", "staff"])
def test_whoever_left_something_is_kept_for_ever(full, lobby, trace):
    kept = guest("kept", 3 * full)
    if trace == "message":
        says_something(kept, lobby)
    elif trace == "reaction":
        Membership.objects.create(room=lobby, user=kept, role="visitor", has_reacted=True)
    elif trace == "account":
        User.objects.update(is_guest=False)
    else:
        User.objects.update(is_staff=True)
    assert forget_unused_guests() == 0
    assert names() == {"kept"}


def test_having_read_is_not_having_left_something(full, lobby):
    Membership.objects.create(room=lobby, user=guest("gone", full + A_MOMENT), role="visitor", read_ordinal=3)
    assert forget_unused_guests() == 1


def test_many_go_a_few_at_a_time_and_the_command_takes_all(full, monkeypatch):
    monkeypatch.setattr(unused_guests, "AT_ONCE", 2)
    for number in range(5):
        guest(f"gone-{number}", full + A_MOMENT)
    assert forget_unused_guests() == 2
    call_command("forgetguests")
    assert names() == set()


def test_a_forgotten_name_is_free_for_whoever_comes_first(client, lobby, full):
    forgotten = guest("alice", full + A_MOMENT)
    client.post("/enter/", {"name": "Alice"})
    assert User.objects.by_name("alice").pk != forgotten.pk
    assert client.session["_auth_user_id"] == str(User.objects.by_name("alice").pk)


def test_a_name_with_a_message_is_not_free(client, lobby, full):
    says_something(guest("alice", 3 * full), lobby)
    assert "is taken" in client.post("/enter/", {"name": "alice"}).text
