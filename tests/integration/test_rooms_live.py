"""Rooms as their members see them, through two real processes: order, catching up, pages, presence, changes."""

import asyncio

import pytest

from chat import limits
from rig.client import ChatClient


async def say(person, chat, *texts):
    """Post one after the other; the last answer."""
    for text in texts:
        ack = await person.post(text, room=chat.room)
        assert ack["type"] == "ack", ack
    return ack


def texts(messages):
    return [message["text"] for message in messages]


# Joining


async def test_joining_an_empty_room(chat):
    async with chat.client("alice") as alice:
        joined = await alice.join(chat.room)
    assert joined["room"] == chat.room
    assert joined["title"].startswith("Room ")
    assert len(joined["epoch"]) == 8
    assert (joined["head"], joined["messages"]) == (0, [])
    assert "more" not in joined
    assert "earlier" not in joined


async def test_who_belongs_to_the_room_is_told_their_role_with_it(chat):
    """A client shows a moderator what only a moderator may do."""
    async with chat.client("mia") as mia, chat.client("bob", process=1) as bob:
        await asyncio.to_thread(chat.site.manage, "member", chat.room, chat.name("mia"), "moderator")
        assert (await mia.join(chat.room))["role"] == "moderator"
        assert "role" not in await bob.join(chat.room)


async def test_joining_shows_the_latest_page_in_order_and_says_whether_there_is_more(chat):
    async with chat.client("alice", process=1) as alice:
        joined = await alice.join(chat.long_room)
    head = joined["head"]
    assert [message["seq"] for message in joined["messages"]] == list(range(head - limits.LATEST_PAGE + 1, head + 1))
    assert joined["earlier"] is True


async def test_who_was_away_gets_what_happened_since_and_no_more(chat):
    async with chat.client("alice") as alice, chat.client("bob", process=1) as bob:
        epoch = (await alice.join(chat.room))["epoch"]
        await say(alice, chat, "one", "two", "three")
        joined = await bob.join(chat.room, after=1, epoch=epoch)
    assert texts(joined["messages"]) == ["two", "three"]
    assert (joined["after"], joined["head"]) == (1, 3)


async def test_a_message_changed_while_one_was_away_comes_once_as_it_is_now(chat):
    async with chat.client("alice") as alice, chat.client("bob", process=1) as bob:
        await say(alice, chat, "one", "two")
        for text in ("first", "second", "third"):
            await alice.ask("edit", room=chat.room, seq=1, text=text)
        joined = await bob.join(chat.room, after=2)
    assert [(message["seq"], message["version"], message["text"]) for message in joined["messages"]] == [
        (1, 5, "third")
    ]


async def test_joining_again_at_the_head_brings_nothing(chat):
    async with chat.client("alice") as alice:
        await say(alice, chat, "one")
        joined = await alice.join(chat.room, after=1)
        assert joined["messages"] == []
        assert joined["head"] == 1


async def test_joining_twice_hears_everything_once(chat):
    async with chat.client("alice") as alice:
        await alice.join(chat.room)
        await alice.join(chat.room)
        await say(alice, chat, "one", "two")
        assert texts(alice.messages(chat.room)) == ["one", "two"]


@pytest.mark.parametrize(
    "position", [{"after": 99}, {"after": 0, "epoch": "another1"}, {"after": 2**53}], ids=["ahead", "epoch", "far"]
)
async def test_a_position_that_makes_no_sense_has_to_load_afresh(chat, position):
    async with chat.client("alice") as alice:
        await say(alice, chat, "one")
        answer = await alice.join(chat.room, **position)
        assert (answer["type"], answer["room"]) == ("resync", chat.room)
        assert answer["reason"]


async def test_more_than_one_page_of_changes_comes_page_by_page(chat):
    seen, after = [], 0
    async with chat.client("alice", process=1) as alice:
        while (joined := await alice.join(chat.long_room, after=after)).get("more"):
            assert len(joined["messages"]) == limits.CATCH_UP_PAGE
            seen += [message["version"] for message in joined["messages"]]
            after = joined["head"]
        seen += [message["version"] for message in joined["messages"]]
        assert seen == list(range(1, joined["head"] + 1))
        await alice.post("now live", room=chat.long_room)
        assert (await alice.hears("now live"))["version"] == joined["head"] + 1


async def test_while_there_is_more_one_is_not_in_the_room(chat):
    async with chat.client("alice") as alice, chat.client("bob") as bob:
        assert (await alice.join(chat.long_room, after=0))["more"] is True
        await bob.post("unheard", room=chat.long_room)
        await alice.ask("heartbeat")
        assert alice.messages(chat.long_room) == []


def position(events):
    """How far a member has come; there is no gap and no repeat on the way."""
    at = 0
    for event in events:
        if event["type"] == "joined":
            assert event["after"] == at
            assert all(at < message["version"] <= event["head"] for message in event["messages"])
            at = event["head"]
        elif event["type"] == "message":
            assert event["version"] == at + 1
            at = event["version"]
    return at


@pytest.mark.parametrize("process", [0, 1])
async def test_nothing_falls_between_joining_and_listening(chat, process):
    async with chat.client("writer") as writer, chat.client("reader", process) as reader:
        writing = asyncio.gather(*(writer.post(str(number), room=chat.room) for number in range(20)))
        while not writing.done():
            await reader.join(chat.room, after=position(reader.events))
            await reader.ask("leave", room=chat.room)
        await reader.join(chat.room, after=position(reader.events))
        await reader.until(lambda _: position(reader.events) == 20, from_start=True)


async def test_a_room_that_was_left_is_silent(chat):
    async with chat.client("alice") as alice, chat.client("bob", process=1) as bob:
        await alice.join(chat.room)
        assert (await alice.ask("leave", room=chat.room))["type"] == "left"
        await say(bob, chat, "unheard")
        await alice.ask("heartbeat")
        assert alice.messages(chat.room) == []


async def test_leaving_a_room_where_one_is_not_is_no_fault(chat):
    async with chat.client("alice") as alice:
        assert (await alice.ask("leave", room="no-such-room"))["type"] == "left"


# History


async def test_older_messages_come_page_by_page(chat):
    seen, page = [130], {"more": True}
    async with chat.client("alice") as alice:
        while page["more"]:
            page = await alice.ask("history", room=chat.long_room, before=seen[0])
            seen = [message["seq"] for message in page["messages"]] + seen
    assert seen == list(range(1, 131))


@pytest.mark.parametrize(("limit", "count"), [(0, 1), (1, 1), (7, 7), (10_000, limits.HISTORY_PAGE_LIMIT)])
async def test_a_page_has_as_many_as_asked_for_within_bounds(chat, limit, count):
    async with chat.client("alice") as alice:
        page = await alice.ask("history", room=chat.long_room, before=900, limit=limit)
    assert [message["seq"] for message in page["messages"]] == list(range(900 - count, 900))


async def test_before_the_first_message_there_is_nothing(chat):
    async with chat.client("alice") as alice:
        await say(alice, chat, "one")
        for before in (0, 1):
            page = await alice.ask("history", room=chat.room, before=before)
            assert (page["messages"], page["more"]) == ([], False)


async def test_newer_messages_come_page_by_page(chat):
    seen, page = [100], {"more": True}
    async with chat.client("alice") as alice:
        while page["more"]:
            page = await alice.ask("history", room=chat.long_room, after=seen[-1], limit=300)
            seen += [message["seq"] for message in page["messages"]]
        page = await alice.ask("history", room=chat.long_room, after=seen[-1])
    assert (page["messages"], page["more"]) == ([], False)
    assert seen == list(range(100, seen[-1] + 1))
    assert len(seen) > 2 * limits.HISTORY_PAGE_LIMIT


@pytest.mark.parametrize(
    ("around", "limit", "first", "last"),
    [(500, 50, 475, 524), (500, 7, 497, 503), (500, 1, 500, 500), (500, 0, 500, 500), (500, 10_000, 400, 599)],
)
async def test_a_page_around_a_message_has_half_before_it_and_half_after(chat, around, limit, first, last):
    async with chat.client("alice") as alice:
        page = await alice.ask("history", room=chat.long_room, around=around, limit=limit)
    assert [message["seq"] for message in page["messages"]] == list(range(first, last + 1))
    assert (page["earlier"], page["later"]) == (True, True)
    assert "more" not in page


async def test_a_page_around_the_first_and_the_last_message_says_where_the_room_ends(chat):
    async with chat.client("alice") as alice:
        for text in "abcde":
            await say(alice, chat, text)
        await alice.ask("react", room=chat.room, seq=1, emoji="👍")
        first = await alice.ask("history", room=chat.room, around=1, limit=4)
        last = await alice.ask("history", room=chat.room, around=5, limit=4)
        whole = await alice.ask("history", room=chat.room, around=3)
    assert [message["text"] for message in first["messages"]] == ["a", "b"]
    assert first["messages"][0]["reactions"] == {"👍": [chat.name("alice")]}
    assert (first["earlier"], first["later"]) == (False, True)
    assert [message["text"] for message in last["messages"]] == ["c", "d", "e"]
    assert (last["earlier"], last["later"]) == (True, False)
    assert [message["text"] for message in whole["messages"]] == list("abcde")
    assert (whole["earlier"], whole["later"]) == (False, False)


async def test_a_deleted_message_still_has_its_place(chat):
    async with chat.client("alice") as alice:
        for text in "abc":
            await say(alice, chat, text)
        await alice.ask("delete", room=chat.room, seq=2)
        page = await alice.ask("history", room=chat.room, around=2)
    assert [(message["text"], message.get("deleted", False)) for message in page["messages"]] == [
        ("a", False),
        ("", True),
        ("c", False),
    ]


@pytest.mark.parametrize("around", [0, 2, 3, 2**53])
async def test_around_a_message_that_is_not_there_there_is_no_page(chat, around):
    """2 is the number of an edit."""
    async with chat.client("alice") as alice:
        await say(alice, chat, "a")
        await alice.ask("edit", room=chat.room, seq=1, text="b")
        refused = await alice.ask("history", room=chat.room, around=around)
    assert (refused["code"], refused["message"]) == ("not_found", "There is no such message.")


async def test_long_messages_fill_both_halves_of_a_page(chat):
    text = "漢" * limits.TEXT_LIMIT_CHARACTERS
    async with chat.client("alice") as alice:
        for _ in range(13):
            await say(alice, chat, text)
        page = await alice.ask("history", room=chat.room, around=7)
    assert [message["seq"] for message in page["messages"]] == list(range(2, 12))
    assert (page["earlier"], page["later"]) == (True, True)


# Changes of messages


async def test_an_edit_reaches_everybody_as_the_whole_message(chat):
    async with chat.client("alice") as alice, chat.client("bob", process=1) as bob:
        await bob.join(chat.room)
        await say(alice, chat, "helo")
        ack = await alice.ask("edit", room=chat.room, seq=1, text="hello")
        assert (ack["seq"], ack["version"]) == (1, 2)
        edited = await bob.hears("hello")
    assert (edited["seq"], edited["version"], edited["author"]) == (1, 2, chat.name("alice"))
    assert edited["edited_at"] >= edited["created_at"]


async def test_a_deletion_empties_the_message_for_everybody(chat):
    async with chat.client("alice") as alice, chat.client("bob", process=1) as bob:
        await bob.join(chat.room)
        await say(alice, chat, "oops")
        await alice.ask("delete", room=chat.room, seq=1)
        deleted = await bob.told("message", deleted=True)
        assert (deleted["seq"], deleted["text"]) == (1, "")
        page = await bob.ask("history", room=chat.room, before=9)
        assert "oops" not in str(page)


async def test_a_reaction_is_put_and_taken_back(chat):
    async with chat.client("alice") as alice, chat.client("bob", process=1) as bob:
        await alice.join(chat.room)
        await say(alice, chat, "hello")
        await bob.ask("react", room=chat.room, seq=1, emoji="👍", on=True)
        reaction = await alice.told("reaction", version=2)
        assert (reaction["seq"], reaction["emoji"], reaction["name"], reaction["on"]) == (
            1,
            "👍",
            chat.name("bob"),
            True,
        )
        await bob.ask("react", room=chat.room, seq=1, emoji="👍", on=False)
        assert (await alice.told("reaction", version=3))["on"] is False


async def test_what_changes_nothing_takes_no_number(chat):
    async with chat.client("alice") as alice:
        await say(alice, chat, "hello")
        for verb in (("edit", {"text": "hello"}), ("react", {"emoji": "👍", "on": False})):
            ack = await alice.ask(verb[0], room=chat.room, seq=1, **verb[1])
            assert (ack["version"], ack["duplicate"]) == (1, True)
        await say(alice, chat, "next")
        assert (await alice.join(chat.room))["head"] == 2


async def test_the_message_of_another_is_not_ones_own(chat):
    async with chat.client("alice") as alice, chat.client("bob") as bob:
        await say(alice, chat, "hello")
        for verb in (("edit", {"text": "bye"}), ("delete", {})):
            refused = await bob.ask(verb[0], room=chat.room, seq=1, **verb[1])
            assert (refused["type"], refused["code"]) == ("error", "forbidden")


@pytest.mark.parametrize("verb", [("edit", {"text": "x"}), ("delete", {}), ("react", {"emoji": "👍"})])
async def test_a_message_that_is_not_there_cannot_be_changed(chat, verb):
    async with chat.client("alice") as alice:
        refused = await alice.ask(verb[0], room=chat.room, seq=17, **verb[1])
        assert refused["code"] == "not_found"


# Reading and typing


async def test_where_one_has_read_follows_to_ones_other_devices(chat):
    ticket = chat.visitor().enter(chat.name("alice")).ticket()
    phone, laptop = [ChatClient(f"{url}?ticket={ticket}") for url in chat.site.ws_urls]
    async with phone, laptop:
        await say(phone, chat, "one", "two")
        await phone.send("read", room=chat.room, seq=2)
        assert (await laptop.told("read"))["read"] == 2
        await phone.ask("heartbeat")
        assert not [event for event in phone.events if event["type"] == "read"]


async def test_typing_is_told_to_the_room(chat):
    async with chat.client("alice") as alice, chat.client("bob", process=1) as bob:
        await alice.join(chat.room)
        await bob.join(chat.room)
        await alice.send("typing", room=chat.room)
        assert await bob.told("typing") == {"type": "typing", "room": chat.room, "names": [chat.name("alice")]}


# Presence


async def here(person, name):
    """Wait until the name is told to be there: in the answer to one's own join, or when it comes later."""

    def says_so(event):
        return name in event.get("joined", ()) or name in event.get("online", {}).get("names", ())

    await person.until(says_so, from_start=True)


async def gone(person, name):
    """Wait until the name is told to have left; the event."""
    return await person.until(lambda event: event["type"] == "presence" and name in event.get("left", ()))


async def test_who_comes_and_who_leaves_is_told_in_every_process(chat):
    async with chat.client("alice") as alice, chat.client("bob", process=1) as bob:
        assert (await alice.join(chat.room))["online"] == {"count": 1, "names": [chat.name("alice")]}
        await bob.join(chat.room)
        await here(alice, chat.name("bob"))
        await bob.ask("leave", room=chat.room)
        event = await gone(alice, chat.name("bob"))
        assert event["count"] == 1


async def test_who_comes_and_leaves_is_told_to_those_who_look_at_the_room(chat):
    async with chat.client("alice") as alice, chat.client("bob") as bob, chat.client("carol", process=1) as carol:
        for person in (alice, bob):
            await person.join(chat.room)
        await alice.ask("look", rooms=["lobby"])
        told_before = len(alice.events)
        await carol.join(chat.room)
        await here(bob, chat.name("carol"))
        looking = await alice.ask("look", rooms=[chat.room])
        assert [event for event in alice.events[told_before:] if event["type"] == "presence"] == []
        assert chat.name("carol") in looking["online"][chat.room]["names"]
        await carol.ask("leave", room=chat.room)
        await gone(alice, chat.name("carol"))


async def test_who_joins_sees_who_is_here_in_the_other_process(chat):
    async with chat.client("alice") as alice, chat.client("bob", process=1) as bob, chat.client("carol", 1) as carol:
        await alice.join(chat.room)
        await bob.join(chat.room)
        await here(bob, chat.name("alice"))
        online = (await carol.join(chat.room))["online"]
    assert online == {"count": 3, "names": sorted(map(chat.name, ("alice", "bob", "carol")))}


async def test_a_name_with_two_connections_leaves_with_the_last(chat):
    ticket = chat.visitor().enter(chat.name("alice")).ticket()
    phone, laptop = [ChatClient(f"{url}?ticket={ticket}") for url in chat.site.ws_urls]
    async with chat.client("bob") as bob, phone, laptop:
        await bob.join(chat.room)
        for device in (phone, laptop):
            await device.join(chat.room)
        await here(bob, chat.name("alice"))
        await phone.ask("leave", room=chat.room)
        await here(laptop, chat.name("alice"))
        assert chat.name("alice") in (await bob.join(chat.room))["online"]["names"]
        await laptop.ask("leave", room=chat.room)
        await gone(bob, chat.name("alice"))


async def test_who_comes_back_within_the_moment_of_grace_was_never_gone(chat):
    async with chat.client("alice") as alice:
        await alice.join(chat.room)
        for process in (0, 1, 0):
            async with chat.client("bob", process) as bob:
                await bob.join(chat.room)
                await here(alice, chat.name("bob"))
        assert chat.name("bob") in (await alice.join(chat.room))["online"]["names"]
        assert not [event for event in alice.events if event["type"] == "presence" and event.get("left")]


# Private rooms

MAKE_PRIVATE = """
from accounts.models import User
from chat.models import Membership, Room
room = Room.objects.get(slug="{room}")
room.is_private = True
room.save()
Membership.objects.create(room=room, user=User.objects.by_name("{name}"))
"""


async def test_a_private_room_is_not_there_for_who_does_not_belong(chat):
    async with chat.client("alice") as alice, chat.client("bob", process=1) as bob:
        await alice.join(chat.room)
        await bob.join(chat.room)
        await say(alice, chat, "before")
        chat.site.manage("shell", "--no-imports", "-c", MAKE_PRIVATE.format(room=chat.room, name=chat.name("alice")))
        await bob.told("left", room=chat.room)
        await say(alice, chat, "secret")
        for verb, fields in (
            ("join", {}),
            ("history", {"before": 9}),
            ("history", {"after": 0}),
            ("history", {"around": 1}),
            ("post", {"nonce": "n", "text": "x"}),
            ("edit", {"seq": 1, "text": "x"}),
            ("delete", {"seq": 1}),
            ("react", {"seq": 1, "emoji": "👍"}),
        ):
            refused = await bob.ask(verb, room=chat.room, **fields)
            assert (verb, refused["code"]) == (verb, "not_found")
        async with chat.client("carol") as carol:
            hello = await carol.told("hello")
        assert chat.room not in [room["room"] for room in hello["rooms"]]
    assert "secret" not in str(bob.events)
