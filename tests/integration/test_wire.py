"""Frames of chat.v1 as they are on the wire, good and bad, sent by hand to real processes."""

import json

import pytest

from chat import limits
from rig.raw_socket import BINARY, CLOSE, CONTINUATION, GONE, PING, PONG, TEXT

SERVER_LIMIT_BYTES = limits.BINARY_LIMIT_BYTES + limits.FRAME_LIMIT_BYTES


async def is_alive(socket):
    """It answers a heartbeat; whatever else it says before is passed over."""
    await socket.send("heartbeat", sent="alive?")
    return await socket.told("heartbeat", sent="alive?")


def heartbeat_of(size_bytes, filling="x"):
    """A frame of exactly that size, which is answered when it is taken."""
    empty = '{"type":"heartbeat","sent":"big","pad":""}'
    count, rest = divmod(size_bytes - len(empty), len(filling.encode()))
    return empty[:-2] + filling * count + "x" * rest + empty[-2:]


def post(room, nonce="n1", text="hello", **fields):
    return json.dumps({"type": "post", "room": room, "nonce": nonce, "text": text, **fields}, ensure_ascii=False)


# Good frames


async def test_hello_comes_first_and_says_what_a_client_needs(chat):
    socket = await chat.open(f"/ws/?name={chat.name('alice')}", "chat.v1", process=1)
    hello = await socket.event()
    assert hello["type"] == "hello"
    assert hello["name"] == chat.name("alice")
    assert hello["process"].startswith("t2-")
    assert hello["connection"].startswith(hello["process"])
    assert hello["rooms"] == []
    assert hello["heartbeat"] == {"interval": 10.0, "timeout": 5.0}
    assert hello["limits"] == {
        "frame": 65_536,
        "binary": 1_048_576,
        "text": 8_000,
        "posts_per_s": 5,
        "burst": 20,
        "in_flight": 32,
        "typing_interval": 3,
    }
    assert hello["now"].endswith("Z")


async def test_everybody_in_the_room_gets_every_message_the_sender_included(chat):
    people = [await chat.join(name, process) for name, process in (("alice", 0), ("bob", 0), ("carol", 1))]
    for number, person in enumerate(people):
        await person.send_text(post(chat.room, nonce=f"n{number}", text=f"from {number}"))
        heard = [await one.told("message", text=f"from {number}") for one in people]
        assert heard[0] == heard[1] == heard[2]
        assert heard[0]["seq"] == heard[0]["version"] == number + 1
    assert heard[0]["author"] == chat.name("carol")


async def test_nobody_else_gets_it(chat):
    alice, elsewhere = await chat.join("alice"), await chat.connect("elsewhere")
    await elsewhere.send("join", room="lobby")
    await elsewhere.told("joined")
    await alice.send_text(post(chat.room))
    await alice.told("message")
    await elsewhere.send("heartbeat")
    while (event := await elsewhere.event())["type"] != "heartbeat":
        assert event["type"] != "message"


async def test_a_post_is_acknowledged_with_its_id_and_nonce(chat):
    alice = await chat.join("alice")
    await alice.send_text(post(chat.room, id=17))
    ack = await alice.told("ack")
    assert ack == {"type": "ack", "id": 17, "room": chat.room, "seq": 1, "version": 1, "nonce": "n1"}


async def test_one_may_post_without_being_in_the_room(chat):
    alice, bob = await chat.connect("alice"), await chat.join("bob", process=1)
    await alice.send_text(post(chat.room))
    await alice.told("ack")
    assert (await bob.told("message"))["author"] == chat.name("alice")


async def test_a_repeated_nonce_is_one_message_though_it_comes_through_another_process(chat):
    ticket = chat.visitor().enter(chat.name("alice")).ticket()
    here, there = [await chat.open(f"/ws/?ticket={ticket}", "chat.v1", process=process) for process in (0, 1)]
    bob = await chat.join("bob")
    await here.send_text(post(chat.room, text="once"))
    first = await here.told("ack")
    await there.send_text(post(chat.room, text="once"))
    second = await there.told("ack")
    assert second == {**first, "duplicate": True}
    await there.send_text(post(chat.room, nonce="n2", text="twice"))
    assert (await bob.told("message"))["text"] == "once"
    assert (await bob.told("message"))["text"] == "twice"


async def test_a_nonce_is_the_authors_own(chat):
    alice, bob = await chat.join("alice"), await chat.join("bob", process=1)
    await alice.send_text(post(chat.room))
    await bob.send_text(post(chat.room))
    assert {(await alice.told("message"))["seq"], (await alice.told("message"))["seq"]} == {1, 2}


async def test_several_verbs_in_one_frame_are_done_in_order(chat):
    alice = await chat.join("alice")
    await alice.send_text("\n".join(post(chat.room, nonce=f"n{n}", text=str(n)) for n in range(10)))
    assert [(await alice.told("message"))["text"] for _ in range(10)] == [str(n) for n in range(10)]


async def test_a_broken_line_does_not_spoil_the_others_of_its_frame(chat):
    alice = await chat.join("alice")
    await alice.send_text(post(chat.room, nonce="a") + "\nrubbish\n" + post(chat.room, nonce="b"))
    assert (await alice.told("error"))["code"] == "bad_json"
    assert (await alice.told("ack"))["nonce"] == "a"
    assert (await alice.told("ack"))["nonce"] == "b"


@pytest.mark.parametrize(
    "text", ["李雷: 你好", "😀👨‍👩‍👧", "\u202eabc", "a\nb\tc", "<b>&amp;", "e\u0301", '"\\', "\u2028\ufeffx\uffff"]
)
async def test_a_text_comes_back_as_it_was_sent(chat, text):
    alice, bob = await chat.join("alice"), await chat.join("bob", process=1)
    await alice.send_text(post(chat.room, text=text))
    assert (await alice.told("message"))["text"] == text
    assert (await bob.told("message"))["text"] == text


async def test_a_heartbeat_is_answered_with_what_it_sent_and_the_time(chat):
    alice = await chat.connect("alice")
    for sent in ("abc", 17, 1764000000.123, None):
        await alice.send("heartbeat", id=1, sent=sent, at={chat.room: 3})
        answer = await alice.told("heartbeat")
        assert answer.get("sent") == sent
        assert answer["id"] == 1
        assert answer["now"].endswith("Z")


# The level of frames


async def test_a_fragmented_message_is_one_message(chat):
    alice = await chat.join("alice")
    whole = post(chat.room, text="hé 😀").encode()
    await alice.send_fragments(TEXT, *(whole[at : at + 1] for at in range(len(whole))))
    assert (await alice.told("message"))["text"] == "hé 😀"


async def test_a_ping_between_fragments_is_answered(chat):
    alice = await chat.connect("alice")
    await alice.send_frame(TEXT, b'{"type":"heart', is_final=False)
    await alice.send_frame(PING, b"still there?")
    assert await alice.frame() == (PONG, b"still there?", True)
    await alice.send_frame(CONTINUATION, b'beat","sent":"whole"}')
    await alice.told("heartbeat", sent="whole")


async def test_empty_fragments_are_nothing(chat):
    alice = await chat.connect("alice")
    await alice.send_fragments(TEXT, b"", b'{"type":"heartbeat",', b"", b'"sent":1}', b"")
    await alice.told("heartbeat", sent=1)


async def test_a_frame_may_arrive_byte_by_byte(chat):
    alice = await chat.connect("alice")
    payload = b'{"type":"heartbeat","sent":"slow"}'
    for byte in bytes((0x81, 0x80 | len(payload), 0, 0, 0, 0)) + payload:
        await alice.send_raw(bytes((byte,)))
        assert alice.unsent_bytes == 0
    await alice.told("heartbeat", sent="slow")


async def test_many_frames_may_arrive_at_once(chat):
    alice = await chat.connect("alice")
    frame = b"\x81\x94\x00\x00\x00\x00" + b'{"type":"heartbeat"}'
    await alice.send_raw(frame * 200)
    for _ in range(200):
        await alice.told("heartbeat")


@pytest.mark.parametrize("payload", [b"", b"hello", b"\x00\xff" * 62])
async def test_a_ping_is_answered_with_its_payload(chat, payload):
    alice = await chat.connect("alice")
    await alice.send_frame(PING, payload)
    assert await alice.frame() == (PONG, payload, True)


async def test_a_pong_that_nobody_asked_for_is_nothing(chat):
    alice = await chat.connect("alice")
    await alice.send_frame(PONG, b"by the way")
    assert await is_alive(alice)


@pytest.mark.parametrize(
    "frame",
    [
        {"opcode": 0x3},
        {"opcode": 0xB},
        {"opcode": TEXT, "rsv": 4},
        {"opcode": TEXT, "rsv": 1},
        {"opcode": TEXT, "payload": b"{}", "is_masked": False},
        {"opcode": CONTINUATION, "payload": b"of nothing"},
        {"opcode": PING, "is_final": False},
        {"opcode": PING, "payload": b"x" * 126},
        {"opcode": CLOSE, "payload": b"\x03"},
        {"opcode": CLOSE, "payload": b"\x03\xe7"},
        {"opcode": CLOSE, "payload": b"\x03\xe8\xff"},
        {"opcode": TEXT, "payload": b"\xff\xfe"},
        {"opcode": TEXT, "payload": b"\xed\xa0\x80"},
        {"opcode": TEXT, "payload": b"\xc3", "is_final": True},
    ],
    ids=repr,
)
async def test_a_frame_against_the_rules_ends_this_connection_alone(chat, frame):
    alice, bob = await chat.join("alice"), await chat.join("bob")
    await alice.send_frame(**frame)
    assert await alice.close_code() in (1000, 1002, 1007, GONE)
    await chat.told_in_the_log(f"close {chat.name('alice')}")
    assert await is_alive(bob)


async def test_a_message_inside_a_message_ends_the_connection(chat):
    alice = await chat.connect("alice")
    await alice.send_frame(TEXT, b"half", is_final=False)
    await alice.send_frame(TEXT, b"another")
    assert await alice.close_code() in (1002, GONE)


async def test_half_a_frame_and_then_nothing_is_no_fault(chat):
    alice, bob = await chat.join("alice"), await chat.join("bob")
    await alice.send_raw(b"\x81\xfe\x10")
    alice.vanish()
    await chat.told_in_the_log(f"close {chat.name('alice')}")
    assert await is_alive(bob)


async def test_who_vanishes_while_others_talk_is_no_fault(chat):
    alice = await chat.join("alice")
    for number in range(20):
        bob = await chat.join(f"bob{number}")
        await alice.send_text(post(chat.room, nonce=f"n{number}"))
        bob.vanish()
        await alice.told("ack")
    for number in range(20):
        await chat.told_in_the_log(f"close {chat.name(f'bob{number}')}")
    assert await is_alive(alice)


async def test_who_leaves_while_asking_is_no_fault(chat):
    for number in range(20):
        alice = await chat.connect(f"alice{number}")
        await alice.send("join", room=chat.room)
        await alice.send_text(post(chat.room))
        await alice.send("history", room=chat.room, before=9)
        alice.vanish()
    for number in range(20):
        await chat.told_in_the_log(f"close {chat.name(f'alice{number}')}")


# Sizes


@pytest.mark.parametrize("filling", ["x", "é", "李", "😀"])
async def test_a_text_frame_of_64_kib_is_taken_and_one_byte_more_is_too_long(chat, filling):
    alice = await chat.connect("alice")
    exact = heartbeat_of(limits.FRAME_LIMIT_BYTES, filling)
    assert len(exact.encode()) == 65_536
    await alice.send_text(exact)
    await alice.told("heartbeat", sent="big")
    await alice.send_text(exact + " ")
    assert (await alice.event())["code"] == "too_long"
    assert await is_alive(alice)


@pytest.mark.parametrize("size_bytes", [124, 125, 126, 127, 128, 65_535])
async def test_every_form_of_a_frames_length_is_understood(chat, size_bytes):
    alice = await chat.connect("alice")
    await alice.send_text(heartbeat_of(size_bytes))
    await alice.told("heartbeat", sent="big")


async def test_a_64_kib_message_in_fragments_is_taken_too(chat):
    alice = await chat.connect("alice")
    exact = heartbeat_of(limits.FRAME_LIMIT_BYTES).encode()
    await alice.send_fragments(TEXT, *(exact[at : at + 1000] for at in range(0, len(exact), 1000)))
    await alice.told("heartbeat", sent="big")


async def test_a_text_of_8000_characters_is_taken_and_one_more_is_too_long(chat):
    alice, bob = await chat.join("alice"), await chat.join("bob", process=1)
    await alice.send_text(post(chat.room, text="李" * 8_000))
    assert (await bob.told("message"))["text"] == "李" * 8_000
    await alice.send_text(post(chat.room, nonce="n2", text="李" * 8_001, id="a"))
    error = await alice.told("error")
    assert (error["code"], error["nonce"], error["id"]) == ("too_long", "n2", "a")
    assert await is_alive(alice)


async def test_what_no_client_would_send_is_refused_by_the_server_itself(chat):
    alice, bob = await chat.join("alice"), await chat.join("bob")
    await alice.send_raw(b"\x81\xff" + (SERVER_LIMIT_BYTES + 1).to_bytes(8) + b"mask")
    assert await alice.close_code() in (1009, GONE)
    await chat.told_in_the_log(f"close {chat.name('alice')}")
    assert await is_alive(bob)


async def test_a_binary_frame_is_not_supported_yet(chat):
    alice = await chat.connect("alice")
    for data in (b"", b"\x00", b"x" * limits.BINARY_LIMIT_BYTES):
        await alice.send_bytes(data)
        assert (await alice.event())["code"] == "unsupported"
    await alice.send_fragments(BINARY, b"in", b"parts")
    assert (await alice.event())["code"] == "unsupported"
    assert await is_alive(alice)


# Bad frames: an error with a code, and the connection goes on


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "bad_json"),
        ("\n\n", "bad_json"),
        ("hello", "bad_json"),
        ("{", "bad_json"),
        ("\0", "bad_json"),
        ('{"type":"typing","room":"\\ud800"}', "bad_json"),
        ("[" * 60_000, "bad_json"),
        ('{"type":"heartbeat","at":' + "[" * 30_000 + "]" * 30_000 + "}", "bad_json"),
        ('{"type":"heartbeat","sent":' + "1" * 60_000 + "}", "bad_json"),
        ("null", "bad_json"),
        ("[]", "bad_json"),
        ('"join"', "bad_json"),
        ("{}", "bad_frame"),
        ('{"type":null}', "bad_frame"),
        ('{"type":{"type":"join"}}', "bad_frame"),
        ('{"type":"join"}', "bad_frame"),
        ('{"type":"join","room":7}', "bad_frame"),
        ('{"type":"join","room":"lobby","after":-1}', "bad_frame"),
        ('{"type":"join","room":"lobby","after":1e99}', "bad_frame"),
        ('{"type":"join","room":"lobby","after":99999999999999999999}', "bad_frame"),
        ('{"type":"join","room":"lobby","after":"1; DROP TABLE"}', "bad_frame"),
        ('{"type":"join","room":"lob\\u0000by"}', "bad_frame"),
        ('{"type":"post","room":"lobby","nonce":"","text":"x"}', "bad_frame"),
        ('{"type":"post","room":"lobby","nonce":"n","text":null}', "bad_frame"),
        ('{"type":"post","room":"lobby","nonce":"n","text":"\\u0000"}', "bad_frame"),
        ('{"type":"post","room":"lobby","nonce":"' + "n" * 65 + '","text":"x"}', "bad_frame"),
        ('{"type":"history","room":"lobby","before":9007199254740993}', "bad_frame"),
        ('{"type":"history","room":"lobby"}', "bad_frame"),
        ('{"type":"history","room":"lobby","before":2,"after":1}', "bad_frame"),
        ('{"type":"history","room":"lobby","around":1,"after":1,"before":1}', "bad_frame"),
        ('{"type":"history","room":"lobby","around":-1}', "bad_frame"),
        ('{"type":"history","room":"lobby","around":"1"}', "bad_frame"),
        ('{"type":"history","room":"lobby","around":1.5}', "bad_frame"),
        ('{"type":"history","room":"lobby","around":[]}', "bad_frame"),
        ('{"type":"history","room":"lobby","around":9007199254740993}', "bad_frame"),
        ('{"type":"history","room":"lobby","around":9007199254740992}', "not_found"),
        ('{"type":"shout","room":"lobby"}', "unknown_type"),
        ('{"type":"hello"}', "unknown_type"),
        ('{"type":""}', "unknown_type"),
        ('{"type":"join","room":"no-such-room"}', "not_found"),
        ('{"type":"join","room":""}', "not_found"),
        ('{"type":"join","room":"' + "x" * 60_000 + '"}', "not_found"),
        ('{"type":"join","room":"%s\'; --"}', "not_found"),
        ('{"type":"history","room":"no-such-room","before":1}', "not_found"),
        ('{"type":"history","room":"no-such-room","around":1}', "not_found"),
        ('{"type":"read","room":"no-such-room","seq":1}', "not_found"),
        ('{"type":"post","room":"no-such-room","nonce":"n","text":"x"}', "not_found"),
        ('{"type":"post","room":"lobby","nonce":"n","text":""}', "empty"),
        ('{"type":"post","room":"lobby","nonce":"n","text":" \\n\\u2003"}', "empty"),
    ],
    ids=lambda given: repr(given[:60]),
)
async def test_a_bad_frame_gets_an_error_with_a_code_and_the_connection_goes_on(chat, text, code):
    alice = await chat.connect("alice")
    await alice.send_text(text)
    error = await alice.event()
    assert (error["type"], error["code"]) == ("error", code)
    assert error["message"].endswith(".")
    assert await is_alive(alice)


async def test_an_error_says_what_it_is_about(chat):
    alice = await chat.connect("alice")
    await alice.send("post", id=5, room="no-such-room", nonce="n9", text="x")
    error = await alice.told("error")
    assert (error["id"], error["room"], error["nonce"]) == (5, "no-such-room", "n9")
    await alice.send("shout", id="a1")
    assert (await alice.told("error"))["id"] == "a1"


@pytest.mark.parametrize("id", [10**300, -(2**63), 0, "", "x" * 10_000, "\u2028"])
async def test_any_id_comes_back(chat, id):
    alice = await chat.connect("alice")
    await alice.send("heartbeat", id=id)
    assert (await alice.event())["id"] == id


@pytest.mark.parametrize("id", [0, "", 7, "seven"])
@pytest.mark.parametrize(
    ("verb", "code"),
    [
        ({"type": "shout"}, "unknown_type"),
        ({"type": "post"}, "bad_frame"),
        ({"type": "post", "room": "lobby", "nonce": "n", "text": "\0"}, "bad_frame"),
        ({"type": "post", "room": "nowhere", "nonce": "n", "text": "hello"}, "not_found"),
        ({"type": "typing", "room": "lobby"}, "not_found"),
    ],
)
async def test_any_id_comes_back_in_an_error_too(chat, id, verb, code):
    alice = await chat.connect("alice")
    await alice.send(**verb, id=id)
    error = await alice.event()
    assert (error["type"], error["code"], error["id"]) == ("error", code, id)


async def test_huge_numbers_in_good_places_are_no_fault(chat):
    alice = await chat.join("alice")
    biggest = 2**53
    await alice.send("history", room=chat.room, before=biggest, limit=biggest)
    assert (await alice.told("history"))["messages"] == []
    await alice.send("read", room=chat.room, seq=biggest)
    await alice.send("join", room=chat.room, after=biggest)
    assert (await alice.told("resync"))["room"] == chat.room
    assert await is_alive(alice)


async def test_a_frame_of_thousands_of_lines_is_no_fault(chat):
    alice, bob = await chat.join("alice"), await chat.join("bob")
    await alice.send_text("\n" * 60_000 + '{"type":"heartbeat","sent":"at last"}')
    await alice.told("heartbeat", sent="at last")
    assert await is_alive(bob)


# Going on too long


async def test_who_goes_on_breaking_the_protocol_is_closed_with_4006(chat):
    alice = await chat.connect("alice")
    for _ in range(limits.BROKEN_FRAMES_PER_MINUTE + 1):
        await alice.send_text("rubbish")
    errors = [await alice.event() for _ in range(limits.BROKEN_FRAMES_PER_MINUTE + 1)]
    assert {error["code"] for error in errors} == {"bad_json"}
    assert await alice.event() == {"type": "bye", "code": 4006, "reason": "protocol broken"}
    assert await alice.close_code() == 4006
    assert (await chat.told_in_the_log(f"close {chat.name('alice')}")).endswith("with 4006")


async def test_breaking_it_within_one_frame_counts_line_by_line(chat):
    alice = await chat.connect("alice")
    await alice.send_text("x\n" * 1_000 + post(chat.room))
    said = [await alice.event() for _ in range(limits.BROKEN_FRAMES_PER_MINUTE + 2)]
    assert [event["type"] for event in said] == ["error"] * 21 + ["bye"]
    frame = await alice.frame()
    assert (frame.opcode, frame.payload[:2]) == (CLOSE, (4006).to_bytes(2))


async def test_who_breaks_it_now_and_then_may_stay(chat):
    alice = await chat.connect("alice")
    for _ in range(limits.BROKEN_FRAMES_PER_MINUTE):
        await alice.send_text("rubbish")
        assert await is_alive(alice)


async def test_what_comes_after_the_close_is_not_taken(chat):
    alice, bob = await chat.join("alice"), await chat.join("bob")
    for _ in range(limits.BROKEN_FRAMES_PER_MINUTE + 1):
        await alice.send_text("rubbish")
    await alice.send_text(post(chat.room, text="too late"))
    assert await alice.close_code() == 4006
    await bob.send_text(post(chat.room, text="in time"))
    assert (await bob.told("message"))["text"] == "in time"


def burst(room, count):
    """Posts in one frame, so that they are at once on a slow machine too."""
    return "\n".join(post(room, nonce=f"n{number}", text=str(number)) for number in range(count))


async def test_who_writes_too_fast_is_told_when_to_go_on(chat):
    alice, bob = await chat.join("alice"), await chat.join("bob", process=1)
    await alice.send_text(burst(chat.room, limits.POSTS_BURST + 1))
    error = await alice.told("error")
    assert (error["code"], error["nonce"]) == ("rate_limited", f"n{limits.POSTS_BURST}")
    assert 0 < error["retry_after"] <= 4
    assert [(await bob.told("message"))["text"] for _ in range(20)] == [str(number) for number in range(20)]
    assert await is_alive(alice)


async def test_who_does_not_listen_to_that_is_closed_with_4102(chat):
    alice = await chat.connect("alice")
    for _ in range(2):
        await alice.send_text(burst(chat.room, 2 * limits.RATE_LIMITED_PER_MINUTE))
    assert (await alice.told("bye"))["code"] == 4102
    assert await alice.close_code() == 4102
