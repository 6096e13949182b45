"""Coming in: guests, accounts, and what becomes of a name."""

import pytest
from django.conf import settings as site_settings
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import identity, names, tickets
from accounts.forms import NAME_RULES
from accounts.models import User
from chat.models import Message, Room
from chat.pages.views import GUEST_SESSION_AGE_S

pytestmark = pytest.mark.django_db

PASSWORD = "seven-green-bottles"


@pytest.fixture(autouse=True)
def _no_attempts_yet():
    cache.clear()


@pytest.fixture
def lobby():
    return Room.objects.create(slug="lobby", title="Lobby")


@pytest.fixture
def client_elsewhere():
    return Client()


@pytest.fixture
def client_that_checks():
    return Client(enforce_csrf_checks=True)


def enter(client, name, **fields):
    return client.post("/enter/", {"name": name, **fields})


def sign_in(client, name, password=PASSWORD, **fields):
    return client.post("/accounts/login/", {"login": name, "password": password, **fields})


def sign_up(client, name, password=PASSWORD, **fields):
    return client.post("/accounts/signup/", {"username": name, "password1": password, **fields})


def say_hello(room, author):
    Message.objects.create(
        room=room, author=author, seq=1, ordinal=1, version=1, nonce="a", text="hello", created_at=timezone.now()
    )


def who(client):
    session = client.session
    return User.objects.get(pk=session["_auth_user_id"]).username if "_auth_user_id" in session else None


# Guests


def test_a_guest_enters_by_a_name_and_lands_in_the_first_room(client, lobby):
    Room.objects.create(slug="annex", title="Annex")
    assert enter(client, "alice")["Location"] == "/rooms/lobby/"
    assert who(client) == "alice"
    assert User.objects.by_name("alice").is_guest


def test_a_guest_stays_for_a_year(client, lobby):
    enter(client, "alice")
    assert client.session.get_expiry_age() == GUEST_SESSION_AGE_S


def test_where_there_is_no_room_a_guest_lands_at_home(client):
    assert enter(client, "alice")["Location"] == "/"
    assert "No rooms yet" in client.get("/").text


def test_a_name_is_kept_in_its_normal_form(client, lobby):
    enter(client, " ａｌｉｃｅ ")
    assert who(client) == "alice"


def test_a_taken_name_is_refused_whatever_its_case(client, lobby):
    User.objects.create_user("alice", password=PASSWORD)
    answer = enter(client, "ALICE")
    assert "“ALICE” is taken" in answer.text
    assert who(client) is None


def test_another_guest_does_not_get_the_name_of_a_guest(client, lobby, django_user_model):
    django_user_model.objects.create_guest("alice")
    assert "is taken" in enter(client, "alice").text


def test_a_name_that_was_only_ever_given_can_be_taken_over(client, lobby):
    known_by_name = User.objects.create_guest("alice", claimed=False)
    enter(client, "Alice")
    assert who(client) == "alice"
    taken_over = User.objects.get(pk=known_by_name.pk)
    assert taken_over.is_claimed
    assert identity.stamp(taken_over) != identity.stamp(known_by_name)


def test_a_disabled_name_cannot_be_taken_over(client, lobby):
    User.objects.create_guest("alice", claimed=False)
    User.objects.update(is_active=False)
    assert "is taken" in enter(client, "alice").text


@pytest.mark.parametrize("name", ["", " ", "a b", ".alice", "x" * 33, "al\u200bice", "al\x00ice", "<b>"])
def test_a_name_against_the_rules_is_refused_with_the_rule(client, lobby, name):
    answer = enter(client, name)
    assert answer.status_code == 200
    assert 'class="field-error"' in answer.text
    assert not User.objects.exists()


def test_every_rule_of_a_name_can_be_translated():
    for name in ["", "a b", ".a"]:
        with pytest.raises(names.BadName) as problem:
            names.check(name)
        assert str(problem.value) in NAME_RULES


def test_guests_are_refused_where_the_operator_says_so(client, lobby, settings):
    settings.CHAT_GUESTS = False
    assert enter(client, "alice")["Location"] == "/"
    assert not User.objects.exists()
    assert 'name="name"' not in client.get("/").text


def test_somebody_who_is_signed_in_does_not_enter_again(client, lobby):
    enter(client, "alice")
    enter(client, "bob")
    assert who(client) == "alice"


def test_an_address_behind_which_addresses_are_made_up_enters_less_often(client, lobby, settings):
    settings.CHAT_ORIGINS = ["https://chat.test"]
    settings.ACCOUNT_RATE_LIMITS = {"enter": "9/m/ip", "enter_from_behind": "2/m/ip"}
    claims = [
        client.post("/enter/", {"name": ""}, headers={"X-Forwarded-For": f"9.9.9.{n}, 7.7.7.7"}) for n in range(3)
    ]
    honest = [client.post("/enter/", {"name": ""}, headers={"X-Forwarded-For": "7.7.7.7, 10.0.0.1"}) for _ in range(3)]
    assert [answer.status_code for answer in claims] == [200, 200, 429]
    assert [answer.status_code for answer in honest] == [200, 200, 200]


def test_entering_is_limited_by_address(client, lobby, settings):
    settings.ACCOUNT_RATE_LIMITS = {"enter": "2/m/ip"}
    answers = [enter(client, "no name") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]


# The same button, twice


def as_before(client):
    """The browser as it was before the first answer came: it has the CSRF cookie, and no session."""
    again = Client()
    again.cookies[site_settings.CSRF_COOKIE_NAME] = client.cookies[site_settings.CSRF_COOKIE_NAME].value
    return again


def test_a_button_that_is_pressed_twice_lets_the_same_guest_in(client, lobby):
    client.get("/")
    second_click = as_before(client)
    answers = [enter(client, "alice"), enter(second_click, "Alice")]
    assert [answer["Location"] for answer in answers] == ["/rooms/lobby/"] * 2
    assert who(client) == who(second_click) == "alice"
    assert User.objects.count() == 1
    assert User.objects.by_name("alice").is_active


def test_another_browser_that_presses_it_too_gets_another_guest_or_none(client, client_elsewhere, lobby):
    for each in (client, client_elsewhere):
        each.get("/")
    enter(client, "alice")
    assert "is taken" in enter(client_elsewhere, "alice").text
    assert who(client_elsewhere) is None


def test_a_browser_that_comes_back_to_a_name_much_later_is_anybody(client, lobby):
    client.get("/")
    later = as_before(client)
    enter(client, "alice")
    cache.clear()  # as after entering.SAME_CLICK_S
    assert "is taken" in enter(later, "alice").text


def test_a_disabled_guest_does_not_come_in_by_pressing_again(client, lobby):
    client.get("/")
    again = as_before(client)
    enter(client, "alice")
    User.objects.update(is_active=False)
    enter(again, "alice")
    assert who(again) is None


def test_a_guest_whose_answer_failed_has_not_taken_the_name(client, client_elsewhere, lobby, monkeypatch):
    def fail(*_):
        raise RuntimeError("on purpose")

    with monkeypatch.context() as broken:
        broken.setattr("chat.pages.views.login", fail)
        with pytest.raises(RuntimeError):
            enter(client, "alice")
    assert not User.objects.exists()
    enter(client_elsewhere, "alice")
    assert who(client_elsewhere) == "alice"


@pytest.mark.parametrize("way_in", ["enter", "login"])
def test_one_goes_on_to_where_one_was_going(client, lobby, way_in):
    User.objects.create_user("alice", password=PASSWORD)
    going_to = client.get("/rooms/lobby/")["Location"]
    assert going_to == "/?next=/rooms/lobby/"
    assert 'value="/rooms/lobby/"' in client.get(going_to).text
    fields = {"next": "/rooms/lobby/"}
    answer = enter(client, "bob", **fields) if way_in == "enter" else sign_in(client, "alice", **fields)
    assert answer["Location"] == "/rooms/lobby/"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil"])
def test_one_is_never_sent_to_another_site(client, lobby, elsewhere):
    assert enter(client, "alice", next=elsewhere)["Location"] == "/rooms/lobby/"
    assert client.get("/", {"next": elsewhere}).status_code == 200
    client.logout()
    assert sign_up(client, "bob", next=elsewhere)["Location"] == "/"


# A guest becomes a full account


def test_a_guest_keeps_name_and_messages_with_a_password(client, lobby):
    enter(client, "alice")
    alice = User.objects.by_name("alice")
    say_hello(lobby, alice)
    assert client.post("/keep/", {"password1": PASSWORD})["Location"] == "/"
    assert who(client) == "alice"
    client.logout()
    sign_in(client, "alice")
    kept = User.objects.get(pk=client.session["_auth_user_id"])
    assert not kept.is_guest
    assert kept.messages.get().text == "hello"


def test_a_weak_password_does_not_keep_a_name(client, lobby):
    enter(client, "alice")
    assert "too short" in client.post("/keep/", {"password1": "alice"}).text
    assert User.objects.by_name("alice").is_guest


def test_a_full_account_has_nothing_to_keep(client):
    client.force_login(User.objects.create_user("alice", password=PASSWORD))
    assert client.get("/keep/")["Location"] == reverse("account_change_password")


def test_a_guest_who_wants_to_change_the_password_is_asked_to_set_one(client, lobby):
    enter(client, "alice")
    page = client.get("/accounts/password/change/", follow=True)
    assert "Turn “alice” into an account" in page.text


def test_no_name_is_kept_where_sign_up_is_closed(client, lobby, settings):
    settings.CHAT_SIGNUP = "closed"
    enter(client, "alice")
    assert "No new accounts" in client.post("/keep/", {"password1": PASSWORD}).text
    assert User.objects.by_name("alice").is_guest


@pytest.mark.parametrize("path", ["/", "/rooms/lobby/", "/accounts/logout/"])
@pytest.mark.parametrize("sign_up_is", ["open", "closed"])
def test_a_guest_is_offered_to_keep_the_name_where_that_can_be(client, lobby, settings, path, sign_up_is):
    settings.CHAT_SIGNUP = sign_up_is
    enter(client, "alice")
    assert ("Save my account" in client.get(path).text) == (sign_up_is == "open")


# Accounts


def test_a_sign_up_that_is_sent_twice_is_one_account_and_is_in(client):
    client.get("/accounts/signup/")
    second_click, thief = as_before(client), as_before(client)
    sign_up(client, "alice")
    assert sign_up(second_click, "alice")["Location"] == "/"
    assert who(second_click) == "alice"
    sign_up(thief, "alice", password="another-long-password")
    assert who(thief) is None
    assert User.objects.count() == 1


def test_signing_up_takes_a_name_and_a_password(client):
    assert sign_up(client, "alice")["Location"] == "/"
    alice = User.objects.by_name("alice")
    assert who(client) == "alice"
    assert alice.check_password(PASSWORD)
    assert not alice.is_guest


def test_a_sign_up_under_a_taken_name_is_refused(client):
    User.objects.create_guest("alice")
    assert "This name is taken." in sign_up(client, "ＡLICE").text


def test_two_sign_ups_with_one_name_at_one_moment_make_one_account(client, monkeypatch):
    User.objects.create_user("alice", password=PASSWORD)
    monkeypatch.setattr(
        "accounts.allauth_adapter.AccountAdapter.clean_username", lambda self, name, shallow=False: name
    )
    answer = client.post("/accounts/signup/", {"username": "alice", "password1": PASSWORD}, follow=True)
    assert "This name is taken." in answer.text
    assert User.objects.count() == 1


def test_a_sign_up_against_the_rules_says_which(client):
    assert "letters, digits" in sign_up(client, "a b").text
    assert "too short" in sign_up(client, "alice", password="x").text


def test_sign_up_can_be_closed(client, settings):
    settings.CHAT_SIGNUP = "closed"
    assert "No new accounts" in sign_up(client, "alice").text
    assert not User.objects.exists()
    assert reverse("account_signup") not in client.get("/").text
    assert reverse("account_signup") not in client.get("/accounts/login/").text


@pytest.mark.parametrize("spelling", ["Ölaf", "ölaf", "ÖLAF", " ölaf ", "o\u0308laf"])
def test_one_signs_in_with_the_name_in_any_case(client, spelling):
    User.objects.create_user("Ölaf", password=PASSWORD)
    sign_in(client, spelling)
    assert who(client) == "Ölaf"


def test_a_wrong_password_is_a_friendly_error(client):
    User.objects.create_user("alice", password=PASSWORD)
    assert "Wrong name or password" in sign_in(client, "alice", "wrong").text
    assert "Wrong name or password" in sign_in(client, "nobody", "wrong").text


def test_attempts_on_one_name_are_counted_together_however_it_is_spelled(client):
    User.objects.create_user("alice", password=PASSWORD)
    for spelling in ["alice", "Alice", "ALICE", "ａlice", "aLice"]:
        sign_in(client, spelling, "wrong")
    assert "Too many attempts" in sign_in(client, "ALIce").text


def test_a_disabled_account_cannot_sign_in(client):
    User.objects.create_user("alice", password=PASSWORD, is_active=False)
    sign_in(client, "alice")
    assert who(client) is None


def test_the_password_is_changed_and_other_sessions_end(client, client_elsewhere):
    User.objects.create_user("alice", password=PASSWORD)
    for each in [client, client_elsewhere]:
        sign_in(each, "alice")
    answer = client.post(
        "/accounts/password/change/", {"oldpassword": PASSWORD, "password1": "nine-red-lorries"}, follow=True
    )
    assert "Your password is changed." in answer.text
    assert client_elsewhere.get("/keep/").status_code == 302
    assert "You are alice" not in client_elsewhere.get("/").text
    assert "You are alice" in client.get("/").text


def test_the_old_password_has_to_be_right(client):
    client.force_login(User.objects.create_user("alice", password=PASSWORD))
    fields = {"oldpassword": "wrong", "password1": "nine-red-lorries"}
    assert "your current password" in client.post("/accounts/password/change/", fields).text


def test_signing_out_asks_first(client, lobby):
    enter(client, "alice")
    assert "get the name “alice” back" in client.get("/accounts/logout/").text
    assert who(client) == "alice"
    assert client.post("/accounts/logout/")["Location"] == "/"
    assert who(client) is None


def test_forms_from_elsewhere_are_refused(lobby, client_that_checks):
    for path in ["/enter/", "/accounts/login/", "/accounts/signup/"]:
        answer = client_that_checks.post(path, {"name": "alice"})
        assert answer.status_code == 403
        assert "page expired" in answer.text


def form_from(origin, host):
    client = Client(enforce_csrf_checks=True, headers={"host": host})
    client.get("/")
    token = client.cookies[site_settings.CSRF_COOKIE_NAME].value
    return client.post("/enter/", {"name": "alice", "csrfmiddlewaretoken": token}, headers={"origin": origin})


def test_a_form_that_came_through_a_proxy_which_hides_the_address_says_what_to_set(lobby, caplog):
    answer = form_from("https://chat.example.org", host="localhost")
    assert answer.status_code == 403
    assert "PUBLIC_URL" in answer.text
    assert "page expired" not in answer.text
    assert "the page is at https://chat.example.org" in caplog.text.replace("'", "")
    assert not User.objects.exists()


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://chat.example.org.evil.example"])
def test_where_the_address_is_known_it_is_the_only_one(lobby, settings, origin):
    settings.CSRF_TRUSTED_ORIGINS = settings.CHAT_ORIGINS = ["https://chat.example.org"]
    settings.ALLOWED_HOSTS = ["chat.example.org"]
    assert form_from(origin, host="chat.example.org").status_code == 403
    assert form_from("https://chat.example.org", host="chat.example.org").status_code == 302


def enter_from(client, settings, forwarded):
    settings.ACCOUNT_RATE_LIMITS = {"enter": "1/m/ip"}
    return client.post("/enter/", {"name": "no name"}, headers={"x-forwarded-for": forwarded}).status_code


def test_people_behind_one_proxy_are_limited_one_by_one(client, lobby, settings):
    settings.CHAT_ORIGINS = ["https://chat.example.org"]
    addresses = ["9.9.9.9, 10.0.0.9", "8.8.8.8, 10.0.0.9", "6.6.6.6, 9.9.9.9, 10.0.0.9", "::ffff:9.9.9.9"]
    assert [enter_from(client, settings, forwarded) for forwarded in addresses] == [200, 200, 429, 429]


def test_without_a_proxy_nobody_chooses_the_address_by_which_they_are_limited(client, lobby, settings):
    assert [enter_from(client, settings, address) for address in ("9.9.9.9", "8.8.8.8")] == [200, 429]


@pytest.mark.parametrize("forwarded", ["", ",", "unknown", "'; DROP TABLE", "é", "1" * 5_000, "[::1", "999.1.1.1"])
def test_whatever_a_proxy_says_nobody_is_kept_out(client, lobby, settings, forwarded):
    settings.CHAT_ORIGINS = ["https://chat.example.org"]
    assert enter_from(client, settings, forwarded) == 200


def test_a_superuser_is_made_on_the_command_line(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", "--noinput", "--username=root", "--email=")
    root = User.objects.by_name("ROOT")
    assert root.is_superuser
    assert not root.is_guest


# Tickets


def test_a_ticket_admits_whoever_is_signed_in(client, lobby):
    enter(client, "alice")
    answer = client.post("/api/ticket")
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert answer.json()["expires_in"] == tickets.TICKET_LIFETIME_S
    assert tickets.by_ticket(answer.json()["ticket"]).name == "alice"


def test_a_ticket_is_not_for_those_who_are_signed_out(client):
    answer = client.post("/api/ticket")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "not_signed_in"


def test_a_ticket_is_asked_for_with_a_post(client, lobby):
    enter(client, "alice")
    answer = client.get("/api/ticket")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert answer.json()["error"]["code"] == "method_not_allowed"


def test_a_ticket_is_not_given_to_another_sites_page(client_that_checks):
    assert client_that_checks.post("/api/ticket").status_code == 403


# By no name at all


def test_who_gives_no_name_is_nobody_who_was_there(monkeypatch):
    monkeypatch.setattr(names.secrets, "token_hex", lambda length: "0" * 2 * length)
    assert [identity.by_no_name(lambda: None).name for _ in range(3)] == ["guest-0000", "guest-00000", "guest-000000"]


def test_where_guests_are_not_admitted_nobody_is_given_a_name(settings):
    settings.CHAT_GUESTS = False
    with pytest.raises(identity.NotAdmitted):
        identity.by_no_name(lambda: None)


@pytest.mark.parametrize("days", ["0", "-1", "nan", "inf", "1e9"])
def test_a_ticket_is_good_for_a_time_that_makes_sense(days):
    User.objects.create_guest("bot")
    with pytest.raises(CommandError, match="A ticket is good for"):
        call_command("issueticket", "bot", "--days", days)
