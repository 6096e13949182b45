"""Who may see and do what: one table of cases, and every rule, in Python and in SQL, says the same of it."""

import itertools

import pytest

from accounts.models import User
from chat import limits
from chat.messages import ledger
from chat.models import Membership, Room
from chat.rooms import visible
from chat.rooms.permissions import may_moderate, may_post, may_see, visible_rooms
from chat.wire import verbs
from chat.wire.refusals import Refusal

pytestmark = pytest.mark.django_db

OPEN, PRIVATE = False, True
VISITOR, MEMBER, MODERATOR, BANNED = Membership.Role

#       room     role       see    post   moderate
TABLE = [
    (OPEN, None, True, True, False),
    (OPEN, VISITOR, True, True, False),
    (OPEN, MEMBER, True, True, False),
    (OPEN, MODERATOR, True, True, True),
    (OPEN, BANNED, False, False, False),
    (PRIVATE, None, False, False, False),
    (PRIVATE, VISITOR, False, False, False),
    (PRIVATE, MEMBER, True, True, False),
    (PRIVATE, MODERATOR, True, True, True),
    (PRIVATE, BANNED, False, False, False),
]
each_case = pytest.mark.parametrize(("is_private", "role", "sees", "posts", "moderates"), TABLE)


@pytest.fixture
def alice():
    return User.objects.create_guest("alice")


@pytest.fixture
def bob():
    return User.objects.create_guest("bob")


@pytest.fixture
def make_room(alice):
    """A room in which alice has that role; somebody else's roles in it, and hers elsewhere, mean nothing here."""

    def make_room(is_private, role):
        room = Room.objects.create(slug="here", title="Here", is_private=is_private)
        elsewhere = Room.objects.create(slug="elsewhere", title="Elsewhere", is_private=True)
        others = [User.objects.create_guest(f"other-{other}") for other in Membership.Role]
        for other, others_role in zip(others, Membership.Role, strict=True):
            Membership.objects.create(room=room, user=other, role=others_role)
        Membership.objects.create(room=elsewhere, user=alice, role=BANNED if role in (MEMBER, MODERATOR) else MODERATOR)
        if role is not None:
            Membership.objects.create(room=room, user=alice, role=role)
        return room

    return make_room


def test_the_table_has_every_case():
    assert [case[:2] for case in TABLE] == list(itertools.product([OPEN, PRIVATE], [None, *Membership.Role]))


@each_case
def test_the_rules_in_python_say_what_the_table_says(is_private, role, sees, posts, moderates):
    assert (may_see(is_private, role), may_post(is_private, role), may_moderate(role)) == (sees, posts, moderates)


@each_case
def test_the_pages_list_the_rooms_that_one_may_see(make_room, alice, is_private, role, sees, posts, moderates):
    make_room(is_private, role)
    assert visible_rooms(alice.pk).filter(slug="here").exists() == sees


@each_case
def test_a_connection_is_shown_the_room_or_told_that_there_is_none_or_that_it_is_banned(
    make_room, alice, is_private, role, sees, posts, moderates
):
    make_room(is_private, role)
    if sees:
        view = visible.room(alice.pk, "here")
        assert (view.title, view.role) == ("Here", role if role in (MEMBER, MODERATOR) else None)
    else:
        with pytest.raises(Refusal) as told:
            visible.room(alice.pk, "here")
        with pytest.raises(Refusal) as told_of_none:
            visible.room(alice.pk, "nowhere")
        expected = (told_of_none.value.code, told_of_none.value.message)
        if not is_private:
            expected = ("forbidden", "You are banned from this room.")
        assert (told.value.code, told.value.message) == expected


@pytest.mark.django_db(transaction=True)
@each_case
def test_who_may_not_write_hears_what_they_hear_when_they_join(
    make_room, alice, is_private, role, sees, posts, moderates
):
    make_room(is_private, role)
    if not sees:
        outcomes, _ = ledger.write([ledger.Entry(alice.pk, verbs.Post(room="here", nonce="n", text="hello"))])
        with pytest.raises(Refusal) as told:
            visible.room(alice.pk, "here")
        assert (outcomes[0].code, outcomes[0].message) == (told.value.code, told.value.message)


@each_case
def test_hello_lists_the_rooms_in_which_one_has_a_place_and_that_one_may_see(
    make_room, alice, is_private, role, sees, posts, moderates
):
    make_room(is_private, role)
    own = [view.slug for view in visible.own_rooms([alice.pk])[alice.pk]]
    assert ("here" in own) == (sees and role is not None)


@each_case
def test_somebody_who_is_in_the_room_stays_as_long_as_they_may_see_it(
    make_room, alice, is_private, role, sees, posts, moderates
):
    place = (alice.pk, make_room(is_private, role).pk)
    assert visible.still_visible({place}) == ({place} if sees else set())


@pytest.mark.django_db(transaction=True)
@each_case
def test_a_message_is_written_where_one_may_post(make_room, alice, is_private, role, sees, posts, moderates):
    make_room(is_private, role)
    outcomes, _ = ledger.write([ledger.Entry(alice.pk, verbs.Post(room="here", nonce="n", text="hello"))])
    assert isinstance(outcomes[0], ledger.Receipt) == posts


@pytest.mark.django_db(transaction=True)
@each_case
def test_what_others_wrote_is_deleted_by_those_who_moderate(
    make_room, alice, bob, is_private, role, sees, posts, moderates
):
    room = make_room(is_private, role)
    Membership.objects.create(room=room, user=bob, role=MEMBER)
    (said,), _ = ledger.write([ledger.Entry(bob.pk, verbs.Post(room="here", nonce="n", text="hello"))])
    outcomes, _ = ledger.write([ledger.Entry(alice.pk, verbs.Delete(room="here", seq=said.seq))])
    assert isinstance(outcomes[0], ledger.Receipt) == moderates


def test_a_room_that_is_gone_is_kept_by_nobody(alice):
    assert visible.still_visible({(alice.pk, 4711)}) == set()


@pytest.mark.parametrize("slug", ["", "nowhere", "a\x00b", "\ud800", "x" * 5_000, "' OR 1=1 --"])
def test_an_address_at_which_there_is_no_room(alice, slug):
    with pytest.raises(Refusal) as told:
        visible.room(alice.pk, slug)
    assert told.value.code == "not_found"


def test_rooms_come_in_the_order_in_which_people_look_for_them(alice):
    """On whichever database, and after a change of the title too."""
    titles = ["Room 10", "iOS", "Website", "Room 2", "accounting", "API", "Help", "Jobs", "Old"]
    rooms = [Room.objects.create(slug=f"r{number}", title=title) for number, title in enumerate(titles[:4])]
    rooms += Room.objects.bulk_create(Room(slug=f"b{number}", title=title) for number, title in enumerate(titles[4:]))
    for room in rooms:
        Membership.objects.create(room=room, user=alice)
    renamed = Room.objects.get(title="Old")
    renamed.title = "Board"
    renamed.save()
    in_order = ["accounting", "API", "Board", "Help", "iOS", "Jobs", "Room 2", "Room 10", "Website"]
    assert [room.title for room in visible_rooms(alice.pk)] == in_order
    assert [view.title for view in visible.own_rooms([alice.pk])[alice.pk]] == in_order


def test_hello_is_bounded_by_title_and_each_person_gets_their_own(alice, bob, monkeypatch):
    monkeypatch.setattr(limits, "HELLO_ROOMS", 2)
    rooms = [Room.objects.create(slug=f"r{title}", title=title) for title in "CAB"]
    for room in rooms:
        Membership.objects.create(room=room, user=alice)
    Membership.objects.create(room=rooms[0], user=bob)
    own = visible.own_rooms([alice.pk, bob.pk])
    assert [view.title for view in own[alice.pk]] == ["A", "B"]
    assert [view.title for view in own[bob.pk]] == ["C"]
