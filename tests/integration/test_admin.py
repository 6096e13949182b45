"""Django's admin: people, rooms and memberships are administered; messages are read."""

from threading import BoundedSemaphore

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from chat.models import AccessNotice, Membership, Message, Room
from chat.pages import admin, admin_search

pytestmark = pytest.mark.django_db


@pytest.fixture
def root():
    return User.objects.create_superuser("root", password="root-of-all-evil")


@pytest.fixture
def office(client, root):
    """The admin, as a superuser sees it."""
    client.force_login(root)
    return client


@pytest.fixture
def lobby():
    return Room.objects.create(slug="lobby", title="Lobby")


def people_found(office, **query):
    page = office.get(reverse("admin:accounts_user_changelist"), query)
    return [person.username for person in page.context["cl"].queryset]


def choose(office, action, *people):
    chosen = {"action": action, "_selected_action": [person.pk for person in people]}
    return office.post(reverse("admin:accounts_user_changelist"), chosen, follow=True)


def change_page(thing):
    return reverse(f"admin:{thing._meta.label_lower.replace('.', '_')}_change", args=[thing.pk])


def added(user=None, role=""):
    """The membership forms of a room's page, with one more filled in."""
    forms = {"membership_set-TOTAL_FORMS": 0, "membership_set-INITIAL_FORMS": 0}
    if user is None:
        return forms
    filled_in = {"membership_set-0-user": user.pk, "membership_set-0-role": role}
    return forms | {"membership_set-TOTAL_FORMS": 1} | filled_in


def say(room, author, text, seq=1):
    return Message.objects.create(
        room=room,
        author=author,
        seq=seq,
        ordinal=seq,
        version=seq,
        nonce=str(seq),
        text=text,
        created_at=timezone.now(),
    )


# People


def test_people_are_found_by_name_and_kind(office):
    User.objects.create_guest("alice")
    User.objects.create_user("bob", is_active=False)
    assert people_found(office, q="ALI") == ["alice"]
    assert people_found(office, is_guest__exact=1) == ["alice"]
    assert people_found(office, is_active__exact=0) == ["bob"]
    assert people_found(office, is_staff__exact=1) == ["root"]


def test_people_are_deactivated_and_activated(office):
    alice = User.objects.create_guest("alice")
    assert "1 person was deactivated." in choose(office, "deactivate", alice).text
    assert not User.objects.by_name("alice").is_active
    choose(office, "activate", alice)
    assert User.objects.by_name("alice").is_active


def test_the_processes_are_told_whom_to_look_at_again(office):
    alice = User.objects.create_guest("alice")
    AccessNotice.objects.all().delete()
    choose(office, "deactivate", alice)
    assert AccessNotice.objects.get().user_id == alice.pk


def test_nobody_deactivates_oneself(office, root):
    choose(office, "deactivate", root)
    root.refresh_from_db()
    assert root.is_active


def test_a_person_is_added_with_a_name_and_a_password(office):
    password = {"password1": "seven-green-bottles", "password2": "seven-green-bottles"}
    office.post(reverse("admin:accounts_user_add"), {"username": "alice", "usable_password": "true", **password})
    assert User.objects.by_name("alice").check_password("seven-green-bottles")


def test_a_person_is_not_added_under_a_taken_name(office):
    User.objects.create_guest("alice")
    password = {"password1": "seven-green-bottles", "password2": "seven-green-bottles"}
    page = office.post(
        reverse("admin:accounts_user_add"), {"username": "ＡLICE", "usable_password": "true", **password}
    )
    assert "This name is taken." in page.text
    assert User.objects.filter(is_superuser=False).count() == 1


def test_a_name_stays_as_it_was_chosen(office):
    alice = User.objects.create_user("alice", password="seven-green-bottles")
    page = office.get(change_page(alice))
    assert 'name="username"' not in page.text
    office.post(change_page(alice), {"username": "mallory", "is_active": "on", "email": "a@example.org"})
    alice.refresh_from_db()
    assert (alice.username, alice.email) == ("alice", "a@example.org")


def test_a_guest_who_is_given_a_password_is_a_guest_no_more(office):
    alice = User.objects.create_guest("alice")
    password = {"password1": "seven-green-bottles", "password2": "seven-green-bottles"}
    office.post(reverse("admin:auth_user_password_change", args=[alice.pk]), password)
    alice.refresh_from_db()
    assert not alice.is_guest


def test_a_person_with_messages_is_not_deleted(office, lobby):
    alice = User.objects.create_guest("alice")
    say(lobby, alice, "hello")
    office.post(reverse("admin:accounts_user_delete", args=[alice.pk]), {"post": "yes"})
    assert User.objects.filter(pk=alice.pk).exists()


# Rooms


def test_a_room_is_made_with_its_members(office):
    alice = User.objects.create_guest("alice")
    room = {"title": "Board", "slug": "board", "is_private": "on"}
    office.post(reverse("admin:chat_room_add"), room | added(alice, Membership.Role.MODERATOR))
    membership = Membership.objects.get(room__slug="board")
    assert (membership.user, membership.role) == (alice, "moderator")


def test_a_visitor_who_is_made_a_member_keeps_the_reading_position(office, lobby):
    alice = User.objects.create_guest("alice")
    Membership.objects.create(room=lobby, user=alice, role=Membership.Role.VISITOR, read_ordinal=7)
    assert "alice" not in office.get(change_page(lobby)).text
    office.post(change_page(lobby), {"title": "Lobby", **added(alice, Membership.Role.MEMBER)})
    membership = Membership.objects.get()
    assert (membership.role, membership.read_ordinal) == ("member", 7)


def test_nobody_is_given_two_places_in_a_room(office, lobby):
    alice = User.objects.create_guest("alice")
    Membership.objects.create(room=lobby, user=alice)
    page = office.post(change_page(lobby), {"title": "Lobby", **added(alice, Membership.Role.BANNED)})
    assert "This person already has a role in this room." in page.text
    assert Membership.objects.get().role == "member"


def test_nobody_is_given_two_places_at_once(office, lobby):
    alice = User.objects.create_guest("alice")
    twice = {"membership_set-1-user": alice.pk, "membership_set-1-role": Membership.Role.BANNED}
    first = added(alice, Membership.Role.MEMBER)
    page = office.post(change_page(lobby), {"title": "Lobby"} | first | twice | {"membership_set-TOTAL_FORMS": 2})
    assert "Please correct the duplicate data" in page.text
    assert not Membership.objects.exists()


def test_the_address_and_the_numbers_of_a_room_stay(office, lobby):
    fields = {"title": "Hall", "slug": "hall", "head": 7, "epoch": "x"}
    office.post(change_page(lobby), fields | added())
    hall = Room.objects.get()
    assert (hall.title, hall.slug, hall.head, hall.epoch) == ("Hall", "lobby", 0, lobby.epoch)


def test_a_room_with_messages_is_not_deleted(office, lobby, root):
    say(lobby, root, "hello")
    office.post(reverse("admin:chat_room_delete", args=[lobby.pk]), {"post": "yes"})
    assert Room.objects.exists()


def test_a_room_of_many_has_a_list_of_its_people(office, lobby):
    """A form has its limits."""
    people = [User.objects.create_guest(f"p{number}") for number in range(admin.PEOPLE_IN_A_FORM + 1)]
    Membership.objects.bulk_create(Membership(room=lobby, user=person) for person in people)
    page = office.get(change_page(lobby))
    assert "membership_set" not in page.text
    listed = reverse("admin:chat_membership_changelist") + f"?room__id__exact={lobby.pk}"
    assert f'<a href="{listed}">{len(people)}</a>' in page.text
    assert office.post(change_page(lobby), {"title": "Hall"}).status_code == 302
    assert office.get(listed).context["cl"].result_count == len(people)
    lobby.refresh_from_db()
    assert lobby.title == "Hall"


def test_a_role_is_given_in_the_list_of_people(office, lobby):
    place = Membership.objects.create(room=lobby, user=User.objects.create_guest("alice"))
    form = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": place.pk, "_save": "Save"}
    office.post(reverse("admin:chat_membership_changelist"), form | {"form-0-role": Membership.Role.BANNED})
    place.refresh_from_db()
    assert place.role == Membership.Role.BANNED


@pytest.mark.parametrize("seqs", [1, 30])
def test_whether_something_may_be_deleted_is_asked_without_reading_it_all(
    office, lobby, seqs, django_assert_max_num_queries
):
    alice = User.objects.create_guest("alice")
    for seq in range(1, seqs + 1):
        say(lobby, alice, "hello", seq)
    with django_assert_max_num_queries(5) as asked:
        page = office.get(reverse("admin:accounts_user_delete", args=[alice.pk]))
    assert "messages of alice" in page.text
    assert not [query for query in asked if '"text"' in query["sql"]]
    with django_assert_max_num_queries(5):
        page = office.get(reverse("admin:chat_room_delete", args=[lobby.pk]))
    assert "messages in Lobby" in page.text


def test_an_empty_room_is_deleted_with_its_places(office, lobby):
    Membership.objects.create(room=lobby, user=User.objects.create_guest("alice"))
    office.post(reverse("admin:chat_room_delete", args=[lobby.pk]), {"post": "yes"})
    assert (Room.objects.count(), Membership.objects.count()) == (0, 0)


# Messages


def test_messages_are_searched_by_text_and_author(office, lobby, root):
    alice = User.objects.create_guest("alice")
    say(lobby, alice, "the pump is here", seq=1)
    say(lobby, root, "thanks", seq=2)
    found = reverse("admin:chat_message_changelist")
    assert [message.seq for message in office.get(found, {"q": "pump"}).context["cl"].queryset] == [1]
    assert [message.seq for message in office.get(found, {"q": "root"}).context["cl"].queryset] == [2]


def found_by(office, model, words):
    return list(office.get(reverse(f"admin:{model}_changelist"), {"q": words}).context["cl"].queryset)


@pytest.mark.parametrize("words", ["привет", "ПРИВЕТ мир", "юлия", "École", "ｐｕｍｐ", "上海"])
def test_case_and_form_of_letters_do_not_matter_on_any_database(office, lobby, words):
    said = say(lobby, User.objects.create_guest("Юлия"), "Привет, Мир; the PUMP of the ÉCOLE in 上海市", seq=1)
    say(lobby, User.objects.create_guest("bob"), "something else", seq=2)
    assert found_by(office, "chat_message", words) == [said]


def test_people_and_rooms_are_found_whatever_the_case(office):
    julia, hall = User.objects.create_guest("Юлия"), Room.objects.create(slug="hall", title="Зал")
    assert found_by(office, "accounts_user", "ЮЛ") == [julia]
    assert found_by(office, "chat_room", "зал") == [hall]


def test_a_search_that_would_take_long_gives_the_newest(office, lobby, root, monkeypatch):
    said = [say(lobby, root, "hello", seq) for seq in range(1, 4)]
    monkeypatch.setattr(admin_search, "FOUND_LIMIT", 2)
    page = office.get(reverse("admin:chat_message_changelist"), {"q": "hello"})
    assert list(page.context["cl"].queryset) == said[:0:-1]
    assert "there may be older ones" in page.text


def test_a_search_that_finds_nothing_ends_all_the_same(office, lobby, root, monkeypatch):
    said = say(lobby, root, "hello")
    monkeypatch.setattr(admin_search, "PATIENCE_S", -1)
    page = office.get(reverse("admin:chat_message_changelist"), {"q": "hello"})
    assert list(page.context["cl"].queryset) == [said]
    assert "there may be older ones" in page.text


def test_whoever_searches_while_many_do_is_asked_to_come_back(office, lobby, root, monkeypatch):
    say(lobby, root, "hello")
    monkeypatch.setattr(admin_search, "_searches", taken := BoundedSemaphore(1))
    with taken:
        page = office.get(reverse("admin:chat_message_changelist"), {"q": "hello"})
    assert (page.status_code, list(page.context["cl"].queryset)) == (200, [])
    assert "Others are searching" in page.text
    assert found_by(office, "chat_message", "hello")


def test_all_of_many_rows_are_searched(office, lobby, root, monkeypatch):
    monkeypatch.setattr(admin_search, "ROWS_AT_ONCE", 3)
    said = [say(lobby, root, f"number {seq}", seq) for seq in range(1, 11)]
    assert found_by(office, "chat_message", "number") == said[::-1]


def test_a_message_can_be_read_and_not_written(office, lobby, root):
    message = say(lobby, root, "hello")
    assert "hello" in office.get(change_page(message)).text
    assert office.post(change_page(message), {"text": "changed"}).status_code == 403
    assert office.get(reverse("admin:chat_message_add")).status_code == 403
    assert office.get(reverse("admin:chat_message_delete", args=[message.pk])).status_code == 403
    message.refresh_from_db()
    assert message.text == "hello"


def test_the_list_of_messages_costs_the_same_however_many_there_are(office, lobby, root, django_assert_max_num_queries):
    for seq in range(1, 40):
        say(lobby, root, "hello", seq)
    with django_assert_max_num_queries(7):
        office.get(reverse("admin:chat_message_changelist"))


def test_guests_are_kept_out_of_the_admin(client):
    client.force_login(User.objects.create_guest("alice"))
    assert client.get(reverse("admin:index"))["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("name", ["accounts_user", "chat_room", "chat_message", "chat_membership"])
def test_every_list_opens(office, lobby, root, name):
    say(lobby, root, "hello")
    assert office.get(reverse(f"admin:{name}_changelist")).status_code == 200
