"""G10: nothing of a room, and not even that it is there, reaches somebody who is not a member."""

import asyncio
import json
import re

import pytest

from rig.raw_socket import RawSocket

NOT_THERE = "room-of-nobody"
SAME_WHATEVER = ("id", "room", "nonce")


@pytest.fixture
def secret(place):
    """A private room with things in it, whose members are ada and bob; mallory is banned from it, eve is a stranger."""
    room = place.new_room(private=True)
    roles = {"ada": "member", "bob": "member", "mallory": "banned", "eve": None}
    for like, role in roles.items():
        place.new_guest(like)
        if role:
            place.give_role(like, room, role)
    return room


async def make_noise(ada, room):
    """Everything that a room can tell."""
    await ada.join(room)
    seq = (await ada.post("psst", room))["seq"]
    await ada.ask("edit", room=room, seq=seq, text="psst!")
    await ada.ask("react", room=room, seq=seq, emoji="🤫")
    await ada.send("typing", room=room)
    await ada.send("read", room=room, seq=seq)
    await ada.ask("delete", room=room, seq=(await ada.post("gone", room))["seq"])


ATTEMPTS = [
    ("join", {}),
    ("join", {"after": 0}),
    ("join", {"after": 2**53}),
    ("join", {"after": 1, "epoch": "abcdefgh"}),
    ("history", {"before": 100}),
    ("history", {"after": 0}),
    ("history", {"around": 1}),
    ("history", {"around": 2**53}),
    ("post", {"nonce": "n", "text": "hello?"}),
    ("edit", {"seq": 1, "text": "mine now"}),
    ("delete", {"seq": 1}),
    ("react", {"seq": 1, "emoji": "👍"}),
    ("react", {"seq": 1, "emoji": "🤫", "on": False}),
    ("read", {"seq": 1}),
    ("leave", {}),
]


def without_what_was_said(answer):
    return {name: value for name, value in answer.items() if name not in SAME_WHATEVER}


@pytest.mark.parametrize("who", ["eve", "mallory"])
async def test_every_verb_answers_as_if_the_room_were_not_there(place, secret, who):
    async with (
        place.client("ada") as ada,
        place.client("bob", process=1) as bob,
        place.client(who, process=1) as stranger,
    ):
        await make_noise(ada, secret)
        for verb, fields in ATTEMPTS:
            there = await stranger.ask(verb, room=secret, **fields)
            not_there = await stranger.ask(verb, room=NOT_THERE, **fields)
            assert without_what_was_said(there) == without_what_was_said(not_there), verb
            if verb != "leave":
                assert there["code"] == "not_found", verb
        await stranger.send("typing", room=secret)
        await make_noise(ada, secret)
        await stranger.ask("heartbeat", at={secret: 1})
        assert [event for event in stranger.events if event.get("room") == secret and "id" not in event] == []
        await bob.join(secret)
        await bob.send("typing", room=secret)  # behind the stranger's, from the same process
        await ada.until(lambda event: place.name("bob") in event.get("names", ()))
        assert place.name(who) not in [name for event in ada.events for name in event.get("names", ())]
    assert [row for row in place.rows("SELECT text FROM chat_message") if row in (("hello?",), ("mine now",))] == []


@pytest.mark.parametrize("who", ["eve", "mallory"])
async def test_hello_does_not_name_it(place, secret, who):
    async with place.client("ada") as ada, place.client(who, process=1) as stranger:
        rooms_of = {}
        for client in (ada, stranger):
            hello = await client.told("hello")
            rooms_of[client] = [room["room"] for room in hello["rooms"]]
        assert secret in rooms_of[ada]
        assert secret not in rooms_of[stranger]
        assert rooms_of[stranger] == []


async def test_presence_in_it_is_told_in_it_alone(place, secret):
    """Who is in a room is a thing of the room: somebody in another one does not hear of it."""
    async with place.client("eve", process=1) as eve, place.client("ada") as ada:
        await eve.join(place.room)
        await ada.join(secret)
        await ada.ask("leave", room=secret)
        await ada.join(place.room)
        await eve.until(lambda event: event["type"] == "presence" and place.name("ada") in event["joined"])
        assert {event["room"] for event in eve.events if event["type"] == "presence"} == {place.room}


@pytest.mark.parametrize("who", ["eve", "mallory"])
@pytest.mark.parametrize("path", ["/ws/", "/ws/text/"])
async def test_the_simple_dialects_are_shown_the_same_door(place, secret, who, path):
    heard = {}
    for room in (secret, NOT_THERE):
        url = f"{place.site.urls[0].replace('http', 'ws')}{path}?name={place.name(who)}&room={room}"
        async with await RawSocket.open(url) as socket:
            frames = []
            while (frame := await socket.frame()).opcode == 1:
                frames.append(frame.payload.decode())
            heard[room] = [*frames, frame.payload]
    assert heard[secret] == heard[NOT_THERE]
    assert heard[secret][-1][:2] == (4002).to_bytes(2)


async def test_the_pages_do_not_show_it(place, secret):
    visitor = place.visitor()
    visitor.enter(place.name("somebody"))
    for message in ("", "1/"):
        answers = [visitor.get(f"/rooms/{room}/{message}") for room in (secret, NOT_THERE)]
        assert [answer.status for answer in answers] == [404, 404]
        assert without_token(answers[0].text).replace(secret, NOT_THERE) == without_token(answers[1].text)
    assert secret not in visitor.get("/").text
    assert secret not in visitor.get(f"/rooms/{place.room}/").text


def without_token(page):
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page)


async def test_what_goes_from_process_to_process_reaches_members_alone(place, secret):
    """A stranger who is in the same process as a member, and in the same frames."""
    async with (
        place.client("ada") as ada,
        place.client("bob", process=1) as bob,
        place.client("eve", process=1) as eve,
    ):
        await asyncio.gather(eve.join(place.room), ada.join(secret), ada.join(place.room), bob.join(secret))
        lines = [{"type": "post", "room": room, "nonce": room, "text": f"in {room}"} for room in (secret, place.room)]
        await ada.line.send_text("\n".join(map(json.dumps, lines)))
        await bob.hears(f"in {secret}")
        await eve.hears(f"in {place.room}")
        assert secret not in json.dumps(eve.events)
