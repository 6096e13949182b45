import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts import identity, tickets
from accounts.identity import NotAdmitted, Person, Why
from accounts.models import User
from chat import database
from chat.sockets.scope import address, cookies, room_asked
from chat.sockets.upgrade import AcceptAnybody, IdentifyPerson, KnownPaths, NegotiateDialect, SameOrigin, is_ours
from chat.wire.dialects import ChatV1, ModeCode, PlainText
from rig.clock import Clock

ALICE = Person(7, "Alice")
CONNECT = {"type": "websocket.connect"}


def scope(path="/ws/", query="", subprotocols=(), **headers):
    return {
        "type": "websocket",
        "path": path,
        "query_string": query.encode(),
        "subprotocols": list(subprotocols),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": ["203.0.113.9", 4711],
    }


class Upgrade:
    """Plays one upgrade against a middleware: what was sent, and with which scope the application was reached."""

    def __init__(self, middleware, *options):
        self.app = middleware(self._reached, *options)
        self.sent = []
        self.reached = None

    async def play(self, scope):
        await self.app(scope, self._receive, self._send)
        return self

    @property
    def close_code(self):
        return self.sent[-1].get("code")

    async def _reached(self, scope, receive, send):
        self.reached = scope

    async def _receive(self):
        return CONNECT

    async def _send(self, message):
        self.sent.append(message)


@pytest.fixture
def lines(caplog):
    """The log lines of upgrades."""
    caplog.set_level("INFO", logger="chat.upgrade")
    return lambda: [record.getMessage() for record in caplog.records if record.name == "chat.upgrade"]


# Path


async def test_a_path_of_ours_is_let_through():
    upgrade = await Upgrade(KnownPaths, ["/ws/"]).play(scope("/ws/"))
    assert upgrade.reached["path"] == "/ws/"
    assert upgrade.sent == []


@pytest.mark.parametrize("path", ["/", "/ws", "/ws//", "/WS/", "/ws/other/", "/ws/\n/", "/admin/"])
async def test_any_other_path_is_denied_before_the_handshake_with_one_line(path, lines):
    upgrade = await Upgrade(KnownPaths, ["/ws/"]).play(scope(path))
    assert upgrade.reached is None
    assert upgrade.sent == [{"type": "websocket.close"}]
    (line,) = lines()
    assert line == f"denied 203.0.113.9 {path!r}: no such path"


# Origin


@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [
        ("https://chat.example.org", "chat.example.org", True),
        ("https://chat.example.org", "10.0.0.7:8000", True),
        ("http://chat.example.org", "chat.example.org", False),
        ("https://chat.example.org:8443", "chat.example.org:8443", False),
        ("https://chat.example.org.evil.test", "chat.example.org", False),
        ("https://evil.test", "evil.test", False),
        ("http://localhost:8000", "localhost:8000", False),
        ("null", "chat.example.org", False),
        ("", "chat.example.org", False),
    ],
)
def test_with_a_public_address_it_alone_is_ours(settings, origin, host, expected):
    settings.CHAT_ORIGINS = ["https://chat.example.org"]
    settings.ALLOWED_HOSTS = ["chat.example.org"]
    assert is_ours(origin, host) is expected


@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [
        ("http://localhost:8000", "localhost:8000", True),
        ("http://LOCALHOST:8000", "localhost:8000", True),
        ("https://localhost:8000", "localhost:8000", True),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", True),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("http://localhost", "localhost", True),
        ("http://localhost:8001", "localhost:8000", False),
        ("http://localhost", "localhost:8000", False),
        ("http://127.0.0.1:8000", "localhost:8000", False),
        ("http://localhost:8000.evil.test", "localhost:8000", False),
        ("http://localhost:8000@evil.test", "localhost:8000", False),
        ("http://evil.test:8000", "evil.test:8000", False),
        ("ftp://localhost:8000", "localhost:8000", False),
        ("file://", "localhost:8000", False),
        ("file://", "", False),
        ("null", "", False),
        ("//localhost:8000", "localhost:8000", False),
        ("http://[::1", "[::1", False),
        ("http://\x00", "localhost:8000", False),
    ],
)
def test_without_one_the_pages_own_address_on_an_allowed_host_is_ours(settings, origin, host, expected):
    settings.CHAT_ORIGINS = []
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
    assert is_ours(origin, host) is expected


async def test_a_page_of_another_site_is_denied_with_one_line(settings, lines):
    settings.CHAT_ORIGINS = ["https://chat.example.org"]
    upgrade = await Upgrade(SameOrigin).play(scope(origin="https://evil.test", host="chat.example.org"))
    assert upgrade.reached is None
    assert upgrade.sent == [{"type": "websocket.close"}]
    assert lines() == [
        "denied 203.0.113.9 '/ws/': origin 'https://evil.test' is not ours; if people type it, set PUBLIC_URL to it"
    ]


async def test_a_program_without_an_origin_is_let_through():
    upgrade = await Upgrade(SameOrigin).play(scope(host="anything"))
    assert upgrade.reached is not None


async def test_echo_speaks_no_subprotocol(lines):
    upgrade = await Upgrade(AcceptAnybody).play(scope("/ws/echo/", subprotocols=["chat.v1"]))
    assert upgrade.reached is None
    assert upgrade.sent == [
        {"type": "websocket.accept", "subprotocol": "chat.v1"},
        {"type": "websocket.close", "code": 4004},
    ]
    assert lines() == ["refused 203.0.113.9 '/ws/echo/' with 4004: unsupported subprotocol"]


@given(st.text(st.characters(codec="latin-1")), st.text(st.characters(codec="latin-1")))
def test_any_origin_and_host_are_compared_without_a_fault(origin, host):
    assert is_ours(origin, host) in (True, False)


# Dialect


@pytest.mark.parametrize(
    ("path", "offered", "dialect", "answered"),
    [
        ("/ws/", ["chat.v1"], ChatV1, "chat.v1"),
        ("/ws/", ["chat.v2", "chat.v1", "chat.text"], ChatV1, "chat.v1"),
        ("/ws/", ["chat.text"], PlainText, "chat.text"),
        ("/ws/", ["ticket.abc", "chat.v1"], ChatV1, "chat.v1"),
        ("/ws/text/", ["chat.v1"], ChatV1, "chat.v1"),
        ("/ws/", [], ModeCode, None),
    ],
)
async def test_the_first_dialect_that_we_speak_is_answered(path, offered, dialect, answered):
    upgrade = await Upgrade(NegotiateDialect).play(scope(path, subprotocols=offered))
    assert upgrade.reached["dialect"] is dialect
    assert upgrade.sent == [{"type": "websocket.accept", "subprotocol": answered}]


async def test_text_by_its_path_needs_no_subprotocol():
    upgrade = await Upgrade(NegotiateDialect).play(scope("/ws/text/"))
    assert upgrade.reached["dialect"] is PlainText


@pytest.mark.parametrize("offered", [["chat.v2"], ["CHAT.V1"], ["mqtt", "ticket.abc", "wamp"], ["chat.v1\x00"]])
async def test_a_dialect_that_we_do_not_speak_is_closed_with_4004(offered, lines):
    upgrade = await Upgrade(NegotiateDialect).play(scope(subprotocols=offered))
    assert upgrade.reached is None
    assert upgrade.sent == [
        {"type": "websocket.accept", "subprotocol": offered[0]},
        {"type": "websocket.close", "code": 4004},
    ]
    assert lines() == ["refused 203.0.113.9 '/ws/' with 4004: unsupported subprotocol"]


async def test_echo_is_accepted_as_it_comes():
    upgrade = await Upgrade(AcceptAnybody).play(scope("/ws/echo/"))
    assert upgrade.sent == [{"type": "websocket.accept"}]
    assert upgrade.reached is not None


# Name


@pytest.fixture
def people(monkeypatch):
    """Who comes with which session, and guests by name; nothing is looked up in a database."""

    def by_session(key):
        return {"alices-session": ALICE}.get(key)

    def by_name(name, admit_new):
        if name.casefold() == "alice":
            raise NotAdmitted(Why.FORBIDDEN, "this name belongs to somebody")
        return Person(8, name, by_name_alone=True)

    monkeypatch.setattr(identity, "by_session", by_session)
    monkeypatch.setattr(identity, "by_name", by_name)
    monkeypatch.setattr(identity, "by_no_name", lambda admit_new: Person(9, "guest-4f2a", by_name_alone=True))
    monkeypatch.setattr(tickets, "time", Clock())


def ticket(name="Alice", lifetime_s=60):
    return tickets.issue_ticket(User(pk=7, username=name), lifetime_s=lifetime_s)


async def person(dialect=ChatV1, **given):
    upgrade = await Upgrade(IdentifyPerson).play({**scope(**given), "dialect": dialect})
    return upgrade.reached["person"] if upgrade.reached else upgrade.close_code


@pytest.mark.usefixtures("people")
class TestNames:
    """Who somebody is: by cookie, by ticket, or by name alone."""

    async def test_the_session_cookie_says_who(self):
        assert await person(cookie="theme=dark; sessionid=alices-session") == ALICE

    async def test_a_session_that_is_over_is_not_signed_in(self):
        assert await person(cookie="sessionid=an-old-session") == 4001

    async def test_nothing_at_all_is_not_signed_in(self):
        assert await person() == 4001

    async def test_a_ticket_in_the_query_says_who(self):
        assert (await person(query=f"ticket={ticket()}")).name == "Alice"

    async def test_a_ticket_among_the_subprotocols_says_who(self):
        assert (await person(subprotocols=["chat.v1", f"ticket.{ticket()}"])).name == "Alice"

    async def test_a_ticket_goes_before_the_cookie(self):
        assert (await person(query=f"ticket={ticket('Bob')}", cookie="sessionid=alices-session")).name == "Bob"

    async def test_an_expired_ticket_is_refused_though_the_cookie_is_good(self, lines):
        old = ticket(lifetime_s=-1)
        assert await person(query=f"ticket={old}", cookie="sessionid=alices-session") == 4001
        assert lines() == ["refused 203.0.113.9 '/ws/' with 4001: the ticket has expired"]

    @pytest.mark.parametrize("at", [0, 10, -1])
    async def test_a_tampered_ticket_is_refused(self, at):
        good = ticket()
        tampered = list(good)
        tampered[at] = "A" if tampered[at] != "A" else "B"
        assert await person(query=f"ticket={''.join(tampered)}") == 4001

    @pytest.mark.parametrize("bad", ["x", "::", "a:b:c", "%00", "%ff%fe", ".eJx:1:2", "é", "=" * 5_000])
    async def test_any_other_text_is_no_ticket(self, bad):
        assert await person(query=f"ticket={bad}") == 4001

    async def test_a_name_alone_is_a_guest(self):
        assert await person(query="name=%E6%9D%8E%E9%9B%B7") == Person(8, "李雷", by_name_alone=True)

    async def test_a_name_that_belongs_to_somebody_is_forbidden(self, lines):
        assert await person(query="name=ALICE") == 4002
        assert lines() == ["refused 203.0.113.9 '/ws/' as 'ALICE' with 4002: this name belongs to somebody"]

    @pytest.mark.parametrize("same", ["Alice", "ALICE", "%EF%BC%A1lice"])
    async def test_the_same_name_beside_a_cookie_or_ticket_is_welcome(self, same):
        assert await person(query=f"name={same}", cookie="sessionid=alices-session") == ALICE
        assert (await person(query=f"name={same}&ticket={ticket()}")).name == "Alice"

    async def test_another_name_beside_a_cookie_or_ticket_is_forbidden(self):
        assert await person(query="name=bob", cookie="sessionid=alices-session") == 4002
        assert await person(query=f"name=bob&ticket={ticket()}") == 4002

    async def test_plain_text_gives_a_name_to_who_has_none(self):
        assert (await person(PlainText)).name == "guest-4f2a"

    @pytest.mark.parametrize("dialect", [ChatV1, ModeCode])
    async def test_the_other_dialects_want_a_name(self, dialect):
        assert await person(dialect) == 4001

    async def test_the_refusal_is_said_in_the_dialect_before_the_close(self):
        upgrade = await Upgrade(IdentifyPerson).play({**scope(), "dialect": ModeCode})
        said, closed = upgrade.sent
        assert said["text"] == '{"ModeCode":"error","msg":"no cookie, no ticket and no name","code":4001}'
        assert closed == {"type": "websocket.close", "code": 4001}

    async def test_a_database_that_is_away_asks_to_come_back(self, monkeypatch):
        def away(key):
            raise database.Unavailable

        monkeypatch.setattr(identity, "by_session", away)
        assert await person(cookie="sessionid=alices-session") == 4104

    @pytest.mark.parametrize("query", ["&".join(f"a{n}=1" for n in range(100)), "name=%", "=&=&;", "%zz=%zz"])
    async def test_an_odd_query_is_no_fault(self, query):
        assert await person(query=query) in (4001, 4002, Person(8, "%", by_name_alone=True))

    @hypothesis_settings(max_examples=50)
    @given(query=st.text(max_size=60), cookie=st.text(st.characters(codec="latin-1"), max_size=60))
    async def test_any_query_and_cookie_end_with_a_person_or_a_code(self, query, cookie):
        assert isinstance(await person(query=query, cookie=cookie), Person | int)


# Cookies and queries


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("sessionid=abc", "abc"),
        ("a=1; sessionid=abc; b=2", "abc"),
        ("a=1;sessionid=abc", "abc"),
        ('sessionid="abc"', "abc"),
        ("sessionid=", ""),
        ('state={"a": [1]}; sessionid=abc', "abc"),
        ("bare; sessionid=abc", "abc"),
        ("na[me]=1; sessionid=abc", "abc"),
        ("caf\xe9=1; sessionid=abc", "abc"),
        ("mysessionid=abc", None),
        ("SESSIONID=abc", None),
        ("", None),
    ],
)
def test_a_cookie_is_found_whatever_stands_beside_it(header, value):
    assert cookies(scope(cookie=header)).get("sessionid") == value


def test_without_cookies_there_is_none():
    assert cookies(scope()) == {}


@pytest.mark.parametrize(
    ("query", "room"),
    [
        ("", "lobby"),
        ("room=", "lobby"),
        ("name=alice&room=garden", "garden"),
        ("room=%E5%A4%A7%E5%8E%85", "大厅"),
        ("room=a&room=b", "a"),
        ("&".join(f"a{n}=1" for n in range(100)), "lobby"),
    ],
)
def test_a_simple_dialect_says_its_room_in_the_query(query, room):
    assert room_asked(scope(query=query)) == room


def test_an_address_may_be_missing_behind_a_unix_socket():
    assert address(scope()) == "203.0.113.9"
    assert address({**scope(), "client": None}) == "-"
