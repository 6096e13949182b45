"""G7: what is revoked is over on open sockets too, in every process, and stays over for whoever comes again."""

import asyncio
import json

import pytest

from rig.client import ChatClient
from rig.staging import PASSWORD, new_room, rows, tickets
from rig.visitor import Visitor
from rig.waiting import until

ACCOUNTS = [f"member{number}" for number in range(20)]
NEW_PASSWORD = "eight-blue-bottles"


@pytest.fixture(scope="session")
def accounts(shared_site):
    """Name and ticket of accounts that no test has used."""
    return dict(zip(ACCOUNTS, tickets(shared_site, *ACCOUNTS), strict=True))


@pytest.fixture
def account(accounts):
    return accounts.popitem()


def sign_in(site, name, password=PASSWORD, process=0):
    visitor = Visitor(site.urls[process])
    visitor.get("/accounts/login/")
    visitor.post("/accounts/login/", login=name, password=password)
    assert "sessionid" in visitor.cookie, f"{name} was not let in"
    return visitor


def socket_of(visitor, site, process):
    headers = {"Cookie": visitor.cookie, "Origin": site.urls[process]}
    return ChatClient(site.ws_urls[process], additional_headers=headers)


async def closed_with(client):
    """The code it was closed with, which the bye before it said too."""
    code = (await client.told("closed"))["code"]
    assert [event["code"] for event in client.events if event["type"] == "bye"] == [code]
    return code


async def code_of_coming_again(url, **options):
    async with ChatClient(url, **options) as client:
        return (await client.told("closed"))["code"]


async def test_logging_out_closes_the_sockets_of_that_session_alone(place, account):
    name, _ = account
    site = place.site
    here, elsewhere = sign_in(site, name), sign_in(site, name, process=1)
    async with (
        socket_of(here, site, 0) as first,
        socket_of(here, site, 1) as second,
        socket_of(elsewhere, site, 1) as other,
    ):
        await asyncio.gather(*(client.join(place.room) for client in (first, second, other)))
        here.post("/accounts/logout/")
        assert [await closed_with(client) for client in (first, second)] == [4001, 4001]
        assert (await other.post("still here", place.room))["type"] == "ack"
    async with socket_of(here, site, 1) as again:
        assert await closed_with(again) == 4001


def sign_in_as_somebody_else(visitor, site, other):
    visitor.get("/accounts/login/")
    visitor.post("/accounts/logout/")
    visitor.get("/accounts/login/")
    visitor.post("/accounts/login/", login=other, password=PASSWORD)


def sign_in_over_it(visitor, site, other):
    """The door of the admin lets in whoever is signed in already."""
    rows(site, f"UPDATE accounts_user SET is_staff = TRUE WHERE username = '{other}'")
    visitor.get("/admin/login/")
    visitor.post("/admin/login/", username=other, password=PASSWORD)


def end_by_the_operator(visitor, site, other):
    site.manage("shell", "--no-imports", "-c", END_SESSION.format(cookie=visitor.cookie))


END_SESSION = """
from django.contrib.sessions.models import Session
for session in Session.objects.all():
    if session.session_key in "{cookie}":
        session.delete()
"""


@pytest.mark.parametrize("end", [sign_in_as_somebody_else, sign_in_over_it, end_by_the_operator])
async def test_a_session_that_ends_otherwise_closes_its_sockets_in_every_process_too(place, account, accounts, end):
    name, _ = account
    other, _ = accounts.popitem()
    site = place.site
    here, elsewhere = sign_in(site, name), sign_in(site, name, process=1)
    ticket = here.ticket()
    async with (
        socket_of(here, site, 1) as by_cookie,
        ChatClient(f"{site.ws_urls[1]}?ticket={ticket}") as by_ticket,
        socket_of(elsewhere, site, 1) as stays,
    ):
        await asyncio.gather(*(client.join(place.room) for client in (by_cookie, by_ticket, stays)))
        await asyncio.to_thread(end, here, site, other)
        assert [await closed_with(client) for client in (by_cookie, by_ticket)] == [4001, 4001]
        assert (await stays.post("still here", place.room))["type"] == "ack"
    assert await code_of_coming_again(f"{site.ws_urls[1]}?ticket={ticket}") == 4001


async def test_a_new_password_closes_every_other_session(place, account):
    name, _ = account
    site = place.site
    here, elsewhere = sign_in(site, name), sign_in(site, name)
    async with socket_of(here, site, 1) as mine, socket_of(elsewhere, site, 1) as other:
        await asyncio.gather(mine.join(place.room), other.join(place.room))
        answer = here.post("/accounts/password/change/", oldpassword=PASSWORD, password1=NEW_PASSWORD)
        assert answer.status == 200
        assert [await closed_with(client) for client in (mine, other)] == [4201, 4201]
    async with socket_of(here, site, 1) as mine, socket_of(elsewhere, site, 1) as other:
        assert (await mine.join(place.room))["type"] == "joined"
        assert await closed_with(other) == 4001


async def test_deactivation_by_command(place, account):
    name, ticket = account
    site = place.site
    visitor = sign_in(site, name)
    async with socket_of(visitor, site, 1) as by_cookie, ChatClient(f"{site.ws_urls[0]}?ticket={ticket}") as by_ticket:
        await asyncio.gather(by_cookie.join(place.room), by_ticket.join(place.room))
        site.manage("account", name, "disabled")
        assert [await closed_with(client) for client in (by_cookie, by_ticket)] == [4003, 4003]
    async with socket_of(visitor, site, 1) as again:
        assert await closed_with(again) == 4003
    assert await code_of_coming_again(f"{site.ws_urls[1]}?ticket={ticket}") == 4003


async def test_deactivation_in_the_admin(place, account, accounts):
    name, _ = account
    admin, _ = accounts.popitem()
    site = place.site
    place.rows(f"UPDATE accounts_user SET is_staff = TRUE, is_superuser = TRUE WHERE username = '{admin}'")
    [(user_id,)] = place.rows(f"SELECT id FROM accounts_user WHERE username = '{name}'")
    async with socket_of(sign_in(site, name), site, 1) as client:
        await client.join(place.room)
        fields = {"action": "deactivate", "_selected_action": str(user_id)}
        assert "1 person was deactivated" in sign_in(site, admin).post("/admin/accounts/user/", **fields).text
        assert await closed_with(client) == 4003


async def test_an_account_that_is_deleted(place, account, accounts):
    name, _ = account
    admin, _ = accounts.popitem()
    site = place.site
    place.rows(f"UPDATE accounts_user SET is_staff = TRUE, is_superuser = TRUE WHERE username = '{admin}'")
    [(user_id,)] = place.rows(f"SELECT id FROM accounts_user WHERE username = '{name}'")
    async with socket_of(sign_in(site, name), site, 1) as client:
        await client.join(place.room)
        assert sign_in(site, admin).post(f"/admin/accounts/user/{user_id}/delete/", post="yes").status == 200
        assert await closed_with(client) == 4001


async def test_a_ticket_from_before_a_logout_does_not_help(place, account):
    name, _ = account
    site = place.site
    visitor = sign_in(site, name)
    ticket = visitor.ticket()
    async with ChatClient(f"{site.ws_urls[1]}?ticket={ticket}") as client:
        await client.join(place.room)
        visitor.post("/accounts/logout/")
        assert await closed_with(client) == 4001
    assert await code_of_coming_again(f"{site.ws_urls[1]}?ticket={ticket}") == 4001


async def test_a_ticket_from_before_a_new_password_does_not_help(place, account):
    name, ticket = account
    site = place.site
    sign_in(site, name).post("/accounts/password/change/", oldpassword=PASSWORD, password1=NEW_PASSWORD)
    async with ChatClient(f"{site.ws_urls[1]}?ticket={ticket}") as client:
        assert (await client.told("closed"))["code"] in (4001, 4201)


async def test_a_ban(place):
    name = place.name("bob")
    async with place.person("ada") as ada, place.client("bob", process=1) as bob:
        await bob.join(place.room)
        place.site.manage("member", place.room, name, "banned")
        await bob.told("left", room=place.room, reason="removed")
        await ada.says("not for everybody")
        assert (await bob.join(place.room))["code"] == "forbidden"
        assert (await bob.ask("history", room=place.room, before=9))["code"] == "forbidden"
        assert (await bob.post("let me in", place.room))["code"] == "forbidden"
        await ada.waits_for(lambda: name not in ada.online)
        await ada.says("last")
        assert (await bob.ask("heartbeat"))["type"] == "heartbeat"
        assert bob.messages(place.room) == []
    assert place.texts == ["not for everybody", "last"]


async def test_being_removed_from_a_private_room(place):
    room = place.new_room(private=True)
    place.new_guest("ada")
    place.give_role("ada", room, "member")
    async with place.client("ada") as ada, place.client("bob", process=1) as bob:
        assert (await ada.join(room))["type"] == "joined"
        assert (await bob.join(room))["code"] == "not_found"
        place.site.manage("member", room, place.name("bob"), "member")
        assert (await join_when_let_in(bob, room))["type"] == "joined"
        await ada.post("before", room)
        await bob.hears("before")
        place.site.manage("member", room, place.name("bob"), "none")
        await bob.told("left", room=room, reason="removed")
        await ada.post("after", room)
        assert (await bob.join(room, after=0))["code"] == "not_found"
        assert (await bob.post("let me in", room))["code"] == "not_found"
        assert [message["text"] for message in bob.messages(room)] == ["before"]


async def test_a_room_made_private_keeps_its_members_alone(place):
    place.new_guest("ada")
    place.give_role("ada", place.room, "member")
    async with place.client("ada") as ada, place.client("bob", process=1) as bob:
        await asyncio.gather(ada.join(place.room), bob.join(place.room))
        await ada.post("open", place.room)
        await bob.hears("open")
        await bob.send("read", room=place.room, seq=1)
        place.site.manage("room", place.room, "--private")
        await bob.told("left", room=place.room, reason="removed")
        await ada.post("private", place.room)
        assert (await bob.join(place.room))["code"] == "not_found"
        assert [message["text"] for message in bob.messages(place.room)] == ["open"]
        assert [(await ada.hears(text))["text"] for text in ("open", "private")] == ["open", "private"]


async def test_a_name_that_was_only_given_is_over_when_somebody_takes_it(place):
    name = place.name("guest")
    async with place.client("guest", process=1) as guest:
        await guest.join(place.room)
        Visitor(place.site.urls[0]).enter(name)
        assert await closed_with(guest) == 4201
    assert await code_of_coming_again(place.url("guest", process=1)) == 4002


async def test_nothing_of_it_needs_redis_or_a_notice(start_site):
    """Without Redis, and with a change that nobody announced: a session that expires, a membership deleted by SQL."""
    site = start_site(server="rig.tuned", CHAT_CONF=json.dumps({"STANDING_INTERVAL_S": 1}))
    [_, ticket] = tickets(site, "ada", "bob")
    new_room(site, "secret", private=True)
    site.manage("member", "secret", "bob", "member")
    visitor = sign_in(site, "ada")
    site.valkey.kill()
    async with socket_of(visitor, site, 1) as ada, ChatClient(f"{site.ws_urls[1]}?ticket={ticket}") as bob:
        await asyncio.gather(ada.join(), bob.join("secret"))
        rows(site, "UPDATE django_session SET expire_date = '2020-01-01 00:00:00+00'")
        rows(site, "DELETE FROM chat_membership")
        assert await closed_with(ada) == 4001
        await bob.told("left", room="secret", reason="removed")
        site.manage("account", "bob", "disabled")
        assert await closed_with(bob) == 4003


async def join_when_let_in(client, room):
    """Membership is noticed within a second."""

    async def is_let_in():
        answer = await client.join(room)
        return answer if answer["type"] != "error" else None

    return await until(is_let_in, every_s=0.1)
