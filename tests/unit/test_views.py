"""What the views decide without a database: where one is going, which rooms stand beside one, who is let through."""

from types import SimpleNamespace

import pytest
from django.test import RequestFactory

from chat.pages import views
from chat.pages.views import ROOMS_BESIDE


@pytest.fixture
def get():
    def get(path, secure=False, **query):
        return RequestFactory().get(path, query, secure=secure, headers={"host": "localhost"})

    return get


@pytest.mark.parametrize(
    "url", ["/rooms/lobby/", "/rooms/大厅/", "/?page=2", "http://localhost/rooms/lobby/", "https://localhost/"]
)
def test_one_goes_on_to_a_page_of_ours(get, url):
    assert views._safe_next(get("/", next=url)) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "http:///evil.example",
        "http:evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        " /rooms/lobby/",
        "rooms/lobby/",
        "http://localhost:1/",
        "http://localhost@evil.example/",
        "http://[::1",
    ],
)
def test_one_is_never_sent_anywhere_else(get, url):
    assert views._safe_next(get("/", next=url)) == ""


def test_a_secure_page_leads_to_no_page_in_the_clear(get):
    assert views._safe_next(get("/", secure=True, next="http://localhost/")) == ""
    assert views._safe_next(get("/", secure=True, next="https://localhost/")) == "https://localhost/"


def test_what_was_posted_counts_before_the_address():
    request = RequestFactory().post("/enter/?next=/old/", {"next": "/new/"}, headers={"host": "localhost"})
    assert views._safe_next(request) == "/new/"


@pytest.mark.parametrize(
    ("here", "count", "shown", "are_there_more"),
    [
        (0, 1, 1, False),
        (3, ROOMS_BESIDE, ROOMS_BESIDE, False),
        (3, ROOMS_BESIDE + 1, ROOMS_BESIDE, True),
        (ROOMS_BESIDE, ROOMS_BESIDE + 1, ROOMS_BESIDE + 1, True),
        (500, ROOMS_BESIDE + 1, ROOMS_BESIDE + 1, True),
    ],
)
def test_the_room_that_is_open_is_always_among_those_beside_it(here, count, shown, are_there_more):
    beside, more = views._rooms_beside(here, list(range(count)))
    assert here in beside
    assert (len(beside), more) == (shown, are_there_more)


def test_a_name_is_not_taken_by_following_a_link(get):
    answer = views.enter(get("/enter/", name="alice"))
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_a_room_sends_those_who_are_signed_out_to_the_ways_in(get):
    request = get("/rooms/lobby/")
    request.user = SimpleNamespace(is_authenticated=False)
    assert views.room(request, "lobby")["Location"] == "/?next=/rooms/lobby/"


def test_a_health_check_is_never_answered_from_a_cache(get):
    answer = views.healthz(get("/healthz"))
    assert (answer.status_code, answer.content) == (200, b"ok")
    assert "no-store" in answer["Cache-Control"]
