"""Who comes in and who does not: path, Origin, subprotocol, name, in that order."""

import json
from urllib.parse import quote

import pytest

from rig.raw_socket import NotUpgraded, RawSocket
from rig.visitor import Visitor

SOCKET_PATHS = ["/ws/", "/ws/text/", "/ws/echo/"]

EXPIRED_TICKET = (
    "from accounts import models, tickets; print(tickets.issue_ticket(models.User.objects.by_name({!r}), None, -1))"
)


async def refused_upgrade(chat, *given, **headers):
    with pytest.raises(NotUpgraded) as caught:
        await chat.open(*given, **headers)
    return caught.value.status


async def bye_of(socket):
    """The code in the last frame, which has to be the code of the close."""
    bye = await socket.told("bye")
    assert await socket.close_code() == bye["code"]
    return bye["code"]


def origin(chat):
    return chat.site.urls[0]


# Path


async def test_http_and_websocket_are_on_one_port(chat):
    assert chat.visitor().get("/healthz").text == "ok"
    echo = await chat.open("/ws/echo/")
    assert json.loads(await echo.text())["type"] == "hello"


@pytest.mark.parametrize("path", ["/", "/ws", "/ws/other/", "/ws//", "/healthz", "/%2e%2e/ws/", "/ws/%00"])
async def test_another_path_is_refused_at_the_upgrade_with_one_line(chat, path):
    assert await refused_upgrade(chat, path, "chat.v1") == 403
    (line,) = chat.logged("denied|refused")
    assert "denied 127.0.0.1" in line
    assert "no such path" in line


@pytest.mark.parametrize("path", SOCKET_PATHS)
def test_a_plain_request_to_a_socket_path_is_told_to_upgrade(shared_site, path):
    answer = Visitor(shared_site.urls[0]).get(path)
    assert answer.status == 426
    assert answer.headers["Upgrade"].lower() == "websocket"


async def test_a_plain_request_to_a_socket_path_is_one_line(chat):
    chat.visitor().get(f"/ws/?name={chat.name('alice')}")
    assert len(chat.logged("/ws/")) == 1


# Origin


@pytest.mark.parametrize("path", SOCKET_PATHS)
@pytest.mark.parametrize("foreign", ["https://evil.test", "http://127.0.0.1:1", "null", "http://127.0.0.1.evil.test"])
async def test_a_page_of_another_site_is_refused_at_the_upgrade(chat, path, foreign):
    assert await refused_upgrade(chat, path, origin=foreign) == 403


async def test_a_page_of_another_site_is_one_line(chat):
    await refused_upgrade(chat, "/ws/", "chat.v1", origin="https://evil.test")
    (line,) = chat.logged("denied|refused")
    assert line.endswith(
        "denied 127.0.0.1 '/ws/': origin 'https://evil.test' is not ours; if people type it, set PUBLIC_URL to it"
    )


async def test_a_page_of_ours_comes_in(chat):
    socket = await chat.open(f"/ws/?name={chat.name('alice')}", "chat.v1", origin=origin(chat))
    assert (await socket.event())["name"] == chat.name("alice")


# Subprotocol


@pytest.mark.parametrize(
    ("path", "offered", "answered"),
    [
        ("/ws/", ["chat.v1"], "chat.v1"),
        ("/ws/", ["chat.v9", "chat.v1"], "chat.v1"),
        ("/ws/", ["chat.text", "chat.v1"], "chat.text"),
        ("/ws/text/", ["chat.text"], "chat.text"),
        ("/ws/text/", [], None),
        ("/ws/", [], None),
    ],
)
async def test_the_subprotocol_that_we_speak_is_answered(chat, path, offered, answered):
    socket = await chat.open(f"{path}?name={chat.name('alice')}&room={chat.room}", *offered)
    assert socket.subprotocol == answered


@pytest.mark.parametrize("offered", [["chat.v9"], ["mqtt", "wamp"], ["Chat.V1"]])
async def test_a_subprotocol_that_we_do_not_speak_ends_with_4004_which_a_browser_can_read(chat, offered):
    socket = await chat.open(f"/ws/?name={chat.name('alice')}", *offered)
    assert socket.subprotocol == offered[0]
    assert await socket.close_code() == 4004
    (line,) = chat.logged(f"denied|refused|{chat.name('alice')}")
    assert f"refused 127.0.0.1 '/ws/' as '{chat.name('alice')}' with 4004" in line


# Names


async def test_a_name_alone_is_a_guest(chat):
    socket = await chat.open(f"/ws/?name=%20{quote(chat.name('Ａlice'))}", "chat.v1")
    assert (await socket.event())["name"] == chat.name("Alice")


async def test_nobody_is_not_signed_in(chat):
    assert await bye_of(await chat.open("/ws/", "chat.v1")) == 4001
    (line,) = chat.logged("denied|refused")
    assert "refused 127.0.0.1 '/ws/' with 4001: no cookie, no ticket and no name" in line


@pytest.mark.parametrize("name", ["%00", "a%20b", "-x-", "x" * 33, "a%E2%80%AEb", "%FF%FE", "%3Cscript%3E"])
async def test_a_name_that_is_none_is_forbidden(chat, name):
    assert await bye_of(await chat.open(f"/ws/?name={name}", "chat.v1")) == 4002
    assert len(chat.logged("denied|refused")) == 1


async def test_the_cookie_of_the_pages_says_who_it_is(chat):
    alice = chat.visitor().enter(chat.name("alice"))
    socket = await chat.open(
        "/ws/", "chat.v1", process=1, cookie=f"theme=dark; {alice.cookie}", origin=chat.site.urls[1]
    )
    assert (await socket.event())["name"] == chat.name("alice")


async def test_a_name_that_is_somebody_elses_is_forbidden(chat):
    chat.visitor().enter(chat.name("alice"))
    assert await bye_of(await chat.open(f"/ws/?name={chat.name('ALICE')}", "chat.v1")) == 4002
    (line,) = chat.logged("denied|refused")
    assert "with 4002: this name belongs to somebody" in line


async def test_a_name_beside_a_cookie_has_to_be_the_same(chat):
    alice = chat.visitor().enter(chat.name("alice"))
    same = await chat.open(f"/ws/?name={chat.name('ALICE')}", "chat.v1", cookie=alice.cookie)
    assert (await same.event())["name"] == chat.name("alice")
    other = await chat.open(f"/ws/?name={chat.name('bob')}", "chat.v1", cookie=alice.cookie)
    assert await bye_of(other) == 4002
    assert "the name is not the one signed in" in chat.logged("refused")[0]


async def test_a_cookie_that_is_none_of_ours_is_not_signed_in(chat):
    for session in ("x" * 32, "", "é", '"\\000' + "x" * 31 + '"'):
        assert await bye_of(await chat.open("/ws/", "chat.v1", cookie=f"sessionid={session}")) == 4001


async def test_a_session_that_is_signed_out_is_not_signed_in(chat):
    alice = chat.visitor().enter(chat.name("alice"))
    cookie = alice.cookie
    alice.post("/accounts/logout/")
    assert await bye_of(await chat.open("/ws/", "chat.v1", cookie=cookie)) == 4001


# Tickets


async def test_a_ticket_from_the_pages_admits_without_a_cookie(chat):
    ticket = chat.visitor().enter(chat.name("alice")).ticket()
    for path, offered in ((f"/ws/?ticket={ticket}", ["chat.v1"]), ("/ws/", ["chat.v1", f"ticket.{ticket}"])):
        socket = await chat.open(path, *offered, process=1)
        assert socket.subprotocol == "chat.v1"
        assert (await socket.event())["name"] == chat.name("alice")


async def test_a_ticket_from_the_command_line_admits_and_an_expired_one_does_not(chat):
    name = chat.name("bot")
    chat.visitor().enter(name)
    ticket = chat.site.manage("issueticket", name).strip()
    assert (await (await chat.open(f"/ws/?ticket={ticket}", "chat.v1")).event())["name"] == name
    expired = chat.site.manage("shell", "--no-imports", "-c", EXPIRED_TICKET.format(name)).strip()
    assert await bye_of(await chat.open(f"/ws/?ticket={expired}", "chat.v1")) == 4001
    (line,) = chat.logged("denied|refused")
    assert "with 4001: the ticket has expired" in line


async def test_a_ticket_comes_before_the_cookie_and_a_bad_one_is_refused_beside_a_good_one(chat):
    alice, bob = [chat.visitor().enter(chat.name(name)) for name in ("alice", "bob")]
    both = await chat.open(f"/ws/?ticket={bob.ticket()}", "chat.v1", cookie=alice.cookie)
    assert (await both.event())["name"] == chat.name("bob")
    assert await bye_of(await chat.open("/ws/?ticket=nonsense", "chat.v1", cookie=alice.cookie)) == 4001


async def test_a_tampered_ticket_is_not_signed_in(chat):
    ticket = chat.visitor().enter(chat.name("alice")).ticket()
    tampered = (ticket[:-1], "A" + ticket[1:], ticket.replace(".", ":"), "nonsense", "%00")
    for forgery in tampered:
        assert await bye_of(await chat.open(f"/ws/?ticket={forgery}", "chat.v1")) == 4001
    reasons = [line.rpartition(": ")[2] for line in chat.logged("refused")]
    assert reasons == ["the ticket is not one of ours"] * len(tampered)


async def test_a_name_beside_a_ticket_has_to_be_the_same(chat):
    ticket = chat.visitor().enter(chat.name("alice")).ticket()
    socket = await chat.open(f"/ws/?ticket={ticket}&name={chat.name('bob')}", "chat.v1")
    assert await bye_of(socket) == 4002


def test_a_ticket_is_for_who_is_signed_in_and_asks_for_it_by_post(shared_site):
    stranger = Visitor(shared_site.urls[0])
    stranger.get("/")
    assert stranger.get("/api/ticket").status == 405
    refused = stranger.post("/api/ticket")
    assert refused.status == 401
    assert refused.json()["error"]["code"] == "not_signed_in"


async def test_without_guests_a_name_alone_does_not_admit(start_site):
    site = start_site(1, CHAT_GUESTS="off")
    async with await RawSocket.open(f"{site.ws_urls[0]}?name=alice", "chat.v1") as socket:
        assert await bye_of(socket) == 4001


# Odd upgrades


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/ws/?" + "&".join(f"a{n}=1" for n in range(500)), {}),
        ("/ws/?name&ticket=&&=&;", {}),
        ("/ws/", {"cookie": 'x[y]=1; {"a":1}; ;;; =; sessionid'}),
        ("/ws/", {"cookie": "\xff" * 1_000}),
        ("/ws/", {"sec_websocket_extensions": "permessage-deflate; client_max_window_bits, nonsense"}),
        ("/ws/", {"x_forwarded_for": "'; DROP TABLE", "daphne_root_path": "/elsewhere"}),
    ],
    ids=["fields", "blanks", "cookies", "cookie bytes", "extensions", "headers"],
)
async def test_an_odd_upgrade_ends_like_any_other_of_nobody(chat, path, headers):
    assert await bye_of(await chat.open(path, "chat.v1", **headers)) == 4001
    assert len(chat.logged("denied|refused")) == 1


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/ws/?\xff=\xfe", {}),
        ("/ws/", {"sec_websocket_version": "12"}),
        ("/ws/", {"sec_websocket_key": "short"}),
        ("/ws/", {"sec_websocket_protocol": "chat.v1, chat.v1"}),
        ("/ws/", {"upgrade": "h2c"}),
    ],
    ids=["bytes", "version", "key", "subprotocol", "upgrade"],
)
async def test_what_is_no_handshake_is_refused_with_a_status(chat, path, headers):
    assert 400 <= await refused_upgrade(chat, path, **headers) < 500
    await chat.connect("alice")


@pytest.mark.parametrize("room", ["%00", "no-such-room", "x" * 5_000, "%FF"])
async def test_a_simple_dialect_in_a_room_that_is_not_there_is_closed_with_4002(chat, room):
    socket = await chat.open(f"/ws/?name={chat.name('alice')}&room={room}")
    assert json.loads(await socket.text())["code"] == "not_found"
    assert await socket.close_code() == 4002


# Connect and close, one line each


async def test_connect_and_close_are_one_line_each_with_name_address_duration_and_code(chat):
    alice = await chat.connect("alice")
    await alice.send_close(1000)
    assert await alice.close_code() == 1000
    await chat.told_in_the_log(f"close {chat.name('alice')}")
    connect, close = chat.logged(chat.name("alice"))
    assert connect.endswith(f"INFO chat.connections: connect {chat.name('alice')} 127.0.0.1")
    assert close.partition(" after ")[0].endswith(f"INFO chat.connections: close {chat.name('alice')} 127.0.0.1")
    assert close.partition(" after ")[2].endswith(" s with 1000")


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999])
async def test_the_code_of_a_client_is_logged(chat, code):
    alice = await chat.connect("alice")
    await alice.send_close(code)
    assert (await chat.told_in_the_log(f"close {chat.name('alice')}")).endswith(f"with {code}")


async def test_who_vanishes_is_logged_with_1006(chat):
    alice = await chat.connect("alice")
    alice.vanish()
    assert (await chat.told_in_the_log(f"close {chat.name('alice')}")).endswith("with 1006")


async def test_a_name_cannot_forge_a_line(chat):
    assert await bye_of(await chat.open("/ws/?name=a%0A2026-01-01%20close%20root", "chat.v1")) == 4002
    await refused_upgrade(chat, "/ws/%0Aforged")
    assert len(chat.logged("denied|refused|forged|close root")) == 2
