"""The pages as a browser gets them, before any script runs."""

import gzip
import json
import re

import pytest
from django.conf import settings as site_settings
from django.test import Client
from django.urls import reverse

from accounts.models import User
from chat.models import Membership, Room
from chat.pages import views

pytestmark = pytest.mark.django_db

MODULES = site_settings.BASE_DIR / "chat/static/chat"


@pytest.fixture
def lobby():
    return Room.objects.create(slug="lobby", title="Lobby")


@pytest.fixture
def alice(client):
    alice = User.objects.create_guest("alice")
    client.force_login(alice)
    return alice


def config_of(page):
    return json.loads(re.search(r'id="chat-config" type="application/json">(.*?)</script>', page.text)[1])


def without_token(page):
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.text)


def room_links(page):
    return re.findall(r'href="(/rooms/[^"]+)"', page.text)


# Home


def test_the_ways_in_are_a_name_a_password_and_a_new_account(client):
    page = client.get("/")
    assert 'action="/enter/"' in page.text
    assert reverse("account_login") in page.text
    assert reverse("account_signup") in page.text


def test_home_lists_the_rooms_one_may_see(client, alice, lobby):
    Room.objects.create(slug="closed", title="Closed", is_private=True)
    board = Room.objects.create(slug="board", title="Board", is_private=True)
    Membership.objects.create(room=board, user=alice)
    assert room_links(client.get("/")) == ["/rooms/board/", "/rooms/lobby/"]


# A room


def test_a_room_has_what_the_modules_need(client, alice, lobby):
    page = client.get("/rooms/lobby/")
    config = config_of(page)
    assert config.pop("csrfToken")
    assert client.get(config.pop("emojiUrl")).headers["Content-Type"] == "application/json"
    assert config == {
        "socketPath": "/ws/",
        "room": {"slug": "lobby", "title": "Lobby", "path": "/rooms/lobby/"},
        "name": "alice",
        "ticketUrl": "/api/ticket",
    }


def test_the_pages_have_every_part_that_the_modules_ask_for(client, alice, lobby):
    modules = "".join(path.read_text() for path in MODULES.rglob("*.js"))
    asked_for = set(re.findall(r'(?:getElementById|#part)\("([\w-]+)"\)', modules))
    pages = client.get("/rooms/lobby/").text + client.get("/connection/").text
    assert len(asked_for) > 20
    assert asked_for <= set(re.findall(r'\bid="([\w-]+)"', pages))


def test_the_connection_test_knows_where_to_knock(client):
    assert config_of(client.get("/connection/")) == {"echoPath": "/ws/echo/", "healthPath": "/healthz"}


def test_a_room_that_one_may_not_see_is_no_room(client, alice):
    Room.objects.create(slug="closed", title="Closed", is_private=True)
    for place in ("", "1/"):
        closed, missing = client.get(f"/rooms/closed/{place}"), client.get(f"/rooms/missing/{place}")
        assert closed.status_code == missing.status_code == 404
        assert without_token(closed).replace("closed", "missing") == without_token(missing)


def test_a_room_sends_those_who_are_signed_out_to_the_ways_in(client, lobby):
    assert client.get("/rooms/lobby/")["Location"] == "/?next=/rooms/lobby/"
    assert client.get("/rooms/lobby/12/")["Location"] == "/?next=/rooms/lobby/12/"


@pytest.mark.parametrize("place", ["1", "99999999999999999999999", "007"])
def test_the_address_of_a_message_is_a_page_of_its_room(client, alice, lobby, place):
    page = client.get(f"/rooms/lobby/{place}/")
    assert config_of(page)["room"] == {"slug": "lobby", "title": "Lobby", "path": "/rooms/lobby/"}


@pytest.mark.parametrize("place", ["-1", "1.5", "one", "1/2", "%00", "<script>"])
def test_what_is_no_number_of_a_message_is_no_address(client, alice, lobby, place):
    assert client.get(f"/rooms/lobby/{place}/").status_code == 404


def test_a_room_may_have_a_name_in_any_script(client, alice):
    Room.objects.create(slug="大厅", title="大厅 <b>&amp;</b>")
    page = client.get("/rooms/大厅/")
    assert "大厅 &lt;b&gt;&amp;amp;&lt;/b&gt;" in page.text
    assert config_of(page)["room"]["title"] == "大厅 <b>&amp;</b>"


def make_rooms(count):
    Room.objects.bulk_create(Room(slug=f"r{n:03}", title=f"A room {n:03}") for n in range(count))


@pytest.mark.parametrize("rooms", [1, 40])
def test_a_room_page_costs_four_queries(client, alice, lobby, rooms, django_assert_num_queries):
    make_rooms(rooms)
    with django_assert_num_queries(4):  # session, person, room, rooms
        client.get("/rooms/lobby/")


def test_beside_a_room_are_some_others_and_the_way_to_all(client, alice, lobby):
    make_rooms(views.ROOMS_BESIDE - 1)
    assert "All rooms" not in client.get("/rooms/lobby/").text
    Room.objects.create(slug="zoo", title="Zoo")
    page = client.get("/rooms/zoo/")
    assert "All rooms" in page.text
    assert (room_links(page)[0], room_links(page)[-1]) == ("/rooms/r000/", "/rooms/zoo/")
    assert len(room_links(page)) == views.ROOMS_BESIDE + 1


def test_many_rooms_come_in_pages(client, alice, lobby):
    make_rooms(views.ROOMS_PER_PAGE)
    first, second = client.get("/"), client.get("/?page=2")
    assert len(room_links(first)) == views.ROOMS_PER_PAGE
    assert room_links(second) == ["/rooms/lobby/"]
    assert 'rel="next" href="?page=2"' in first.text
    assert 'rel="prev" href="?page=1"' in second.text
    assert room_links(client.get("/?page=none")) == room_links(first)
    assert room_links(client.get("/?page=99")) == room_links(second)


def test_pages_of_a_person_are_not_kept_by_the_browser(client, alice, lobby):
    for path in ["/", "/rooms/lobby/", "/keep/"]:
        assert "no-store" in client.get(path)["Cache-Control"]


# Everything


def test_the_site_says_that_it_lives_without_a_query(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get("/healthz")
    assert (answer.status_code, answer.text, answer["Content-Type"]) == (200, "ok", "text/plain")


@pytest.mark.parametrize("path", ["/", "/rooms/lobby/", "/keep/", "/connection/", "/nothing/", "/accounts/logout/"])
def test_no_page_has_inline_scripts_styles_or_handlers(client, alice, lobby, path):
    text = client.get(path).text
    assert "</html>" in text
    assert not re.search(r"<style|\sstyle=|\son\w+=", text)
    assert set(re.findall(r"<script(?![^>]* src=)([^>]*)>", text)) <= {' id="chat-config" type="application/json"'}


@pytest.mark.parametrize("slug", ["%00", "lobby%00", "%ED%A0%80", "%FF"])
def test_an_address_that_no_database_keeps_is_no_room(client, alice, lobby, slug):
    assert client.get(f"/rooms/{slug}/").status_code == 404


@pytest.mark.parametrize(("code", "path"), [(404, "/nothing/"), (404, "/rooms//"), (404, "/rooms/a/b/")])
def test_an_error_has_a_page_in_our_look(client, code, path):
    answer = client.get(path)
    assert answer.status_code == code
    assert 'class="brand"' in answer.text


def test_a_fault_of_ours_has_a_page_that_needs_nothing(monkeypatch):
    def fail(request):
        raise RuntimeError("a fault")

    monkeypatch.setattr("chat.pages.views._safe_next", fail)
    answer = Client(raise_request_exception=False).get("/")
    assert answer.status_code == 500
    assert "Something went wrong" in answer.text


# Languages


def test_the_page_speaks_the_language_of_the_browser(client):
    chinese = client.get("/", headers={"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"})
    assert '<html lang="zh-hans">' in chinese.text
    assert "取个昵称" in chinese.text
    assert '<html lang="en">' in client.get("/", headers={"accept-language": "fr"}).text


def test_another_language_can_be_chosen(client):
    answer = client.post("/i18n/setlang/", {"language": "zh-hans", "next": "/connection/"}, follow=True)
    assert answer.redirect_chain == [("/connection/", 302)]
    assert '<html lang="zh-hans">' in answer.text


def test_scripts_are_given_their_texts(client):
    chinese = client.get("/jsi18n/", headers={"accept-language": "zh-hans"})
    assert '"Online": "\\u5728\\u7ebf"' in chinese.text


def test_the_words_of_the_scripts_are_ours_alone_small_and_kept(client):
    words = client.get("/jsi18n/?zh-hans", headers={"accept-language": "zh-hans", "accept-encoding": "gzip"})
    assert words["Content-Encoding"] == "gzip"
    assert "max-age=600" in words["Cache-Control"]
    text = gzip.decompress(words.content).decode()
    assert "No answer." in text
    assert json.dumps("没有回应")[1:-1] in text
    assert "Remove all" not in text  # of the admin
    assert len(words.content) < 4_000


def test_the_address_of_the_words_has_their_language(client, lobby, alice):
    page = client.get("/rooms/lobby/", headers={"accept-language": "zh-hans"})
    assert 'src="/jsi18n/?zh-hans"' in page.text
