"""The two simpler dialects and the echo, spoken by hand to real processes."""

import json

import pytest

from chat import limits
from rig.raw_socket import BINARY, TEXT

HEART_BEATS = [
    '{"ModeCode":"heart_beat","msg":"ping"}',
    '{ "msg":{"deep":[1,2.50,1e3,null]},\t"ModeCode" : "heart_beat" }',
    '{"ModeCode":"heart_beat","msg":"\\u00e9 é 😀","extra":"\\ud83d\\ude00"}\r\n',
]


def message(text):
    return json.dumps({"ModeCode": "message", "msg": text})


async def frame(socket):
    """The next frame of a ModeCode socket, which is one object."""
    return json.loads(await socket.text())


# ModeCode


async def test_a_message_goes_to_everybody_in_the_room_the_sender_included(chat):
    mia, max = await chat.mode_code("mia"), await chat.mode_code("max", process=1)
    await mia.send_text(message("hello"))
    heard = await frame(mia)
    assert heard == await frame(max)
    assert heard.pop("time").endswith("Z")
    assert heard == {"ModeCode": "message", "msg": "hello", "name": chat.name("mia"), "seq": 1}


async def test_the_dialects_hear_each_other(chat):
    mia, paul, alice = await chat.mode_code("mia"), await chat.plain_text("paul", 1), await chat.join("alice")
    await mia.send_text(message("from mia"))
    await paul.text()
    await paul.send_text("from paul")
    await alice.told("message", text="from paul")
    await alice.send("post", room=chat.room, nonce="n1", text="from alice")
    assert [(await frame(mia))["msg"] for _ in range(3)] == ["from mia", "from paul", "from alice"]
    assert await paul.text() == f"{chat.name('paul')} -> from paul"
    assert await paul.text() == f"{chat.name('alice')} -> from alice"


@pytest.mark.parametrize("heart_beat", HEART_BEATS)
async def test_a_heart_beat_comes_back_byte_for_byte_to_its_sender_alone(chat, heart_beat):
    mia, max = await chat.mode_code("mia"), await chat.mode_code("max")
    await mia.send_text(heart_beat)
    assert await mia.text() == heart_beat
    await mia.send_text(message("after"))
    assert (await frame(max))["msg"] == "after"


async def test_bytes_go_to_everybody_in_the_dialect_and_as_a_message_to_the_others(chat):
    mia, max = await chat.mode_code("mia"), await chat.mode_code("max", process=1)
    alice, paul = await chat.join("alice", process=1), await chat.plain_text("paul")
    data = bytes(range(256)) * 10
    await mia.send_bytes(data)
    assert await mia.bytes() == data
    assert await max.bytes() == data
    event = await alice.told("message")
    assert (event["author"], event["text"], event["binary"]) == (chat.name("mia"), "[2,560 bytes]", 2_560)
    assert await paul.text() == f"{chat.name('mia')} -> [2,560 bytes]"


async def test_bytes_in_fragments_go_out_whole(chat):
    mia = await chat.mode_code("mia")
    await mia.send_fragments(BINARY, b"\x00\x01", b"", b"\x02", b"\xff")
    assert await mia.bytes() == b"\x00\x01\x02\xff"


async def test_a_mebibyte_of_bytes_is_taken_and_one_byte_more_is_too_long(chat):
    mia, max = await chat.mode_code("mia"), await chat.mode_code("max", process=1)
    exact = bytes(range(256)) * (limits.BINARY_LIMIT_BYTES // 256)
    await mia.send_bytes(exact)
    assert await max.bytes() == exact
    assert await mia.bytes() == exact
    await mia.send_bytes(exact + b"!")
    assert (await frame(mia))["code"] == "too_long"
    await mia.send_text(HEART_BEATS[0])
    assert await mia.text() == HEART_BEATS[0]


async def test_no_bytes_are_no_message(chat):
    mia = await chat.mode_code("mia")
    await mia.send_bytes(b"")
    assert (await frame(mia))["code"] == "empty"


async def test_every_message_is_a_frame_of_its_own(chat):
    mia, alice = await chat.mode_code("mia", process=1), await chat.join("alice")
    lines = [json.dumps({"type": "post", "room": chat.room, "nonce": f"n{n}", "text": str(n)}) for n in range(20)]
    await alice.send_text("\n".join(lines))
    assert [(await frame(mia))["msg"] for _ in range(20)] == [str(n) for n in range(20)]


async def test_a_name_is_required(chat):
    nobody = await chat.open("/ws/")
    assert await frame(nobody) == {
        "ModeCode": "error",
        "msg": "no cookie, no ticket and no name",
        "code": 4001,
    }
    assert await nobody.close_code() == 4001


@pytest.mark.parametrize("process", [0, 1])
async def test_the_same_name_replaces_the_older_connection(chat, process):
    older = await chat.mode_code("mia")
    newer = await chat.mode_code("mia", process)
    assert await frame(older) == {"ModeCode": "error", "msg": "replaced", "code": 4005}
    assert await older.close_code() == 4005
    await newer.send_text(message("still here"))
    assert (await frame(newer))["msg"] == "still here"
    assert (await chat.told_in_the_log(f"close {chat.name('mia')}")).endswith("with 4005")


async def test_who_is_replaced_by_their_first_frame_has_not_said_it(chat):
    older = await chat.open(f"/ws/?name={chat.name('mia')}&room={chat.room}")
    newer = await chat.mode_code("mia")
    await older.send_bytes(b"late")
    assert await older.close_code() == 4005
    await newer.send_text(message("after"))
    assert (await frame(newer))["msg"] == "after"


async def test_the_same_name_in_another_case_replaces_it_too(chat):
    older = await chat.mode_code("mia")
    await chat.open(f"/ws/?name={chat.name('MIA')}", process=1)
    assert await older.close_code() == 4005


async def test_many_of_one_name_end_with_one(chat):
    sockets = [await chat.mode_code("mia", process=number % 2) for number in range(6)]
    for older in sockets[:-1]:
        # Plain Daphne was seen to drop the line with the close frame unsent when many are closed at once.
        assert await older.close_code() in ((4005, 1006) if chat.is_plain_daphne else (4005,))
    await sockets[-1].send_text(message("the last"))
    assert (await frame(sockets[-1]))["msg"] == "the last"


async def test_different_names_replace_nobody(chat):
    mia, max = await chat.mode_code("mia"), await chat.mode_code("max")
    for socket in (mia, max):
        await socket.send_text(HEART_BEATS[0])
        assert await socket.text() == HEART_BEATS[0]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "bad_json"),
        ("hello", "bad_json"),
        ("[]", "bad_json"),
        ("[" * 60_000, "bad_json"),
        ("{}", "unknown_type"),
        ('{"ModeCode":"shout","msg":"x"}', "unknown_type"),
        ('{"ModeCode":{"a":1}}', "unknown_type"),
        ('{"ModeCode":"message"}', "bad_frame"),
        ('{"ModeCode":"message","msg":17}', "bad_frame"),
        ('{"ModeCode":"message","msg":"\\u0000"}', "bad_frame"),
        ('{"ModeCode":"message","msg":"  "}', "empty"),
        ('{"ModeCode":"message","msg":"' + "x" * 8_001 + '"}', "too_long"),
        ('{"ModeCode":"message","msg":"' + "x" * 65_536 + '"}', "too_long"),
    ],
    ids=lambda given: repr(given[:40]),
)
async def test_what_is_wrong_gets_an_error_in_the_dialect_and_the_connection_goes_on(chat, text, code):
    mia = await chat.mode_code("mia")
    await mia.send_text(text)
    error = await frame(mia)
    assert (error["ModeCode"], error["code"]) == ("error", code)
    await mia.send_text(HEART_BEATS[0])
    assert await mia.text() == HEART_BEATS[0]


@pytest.mark.parametrize("open", ["mode_code", "plain_text"])
async def test_who_goes_on_breaking_a_dialect_is_closed_with_4006(chat, open):
    socket = await getattr(chat, open)("mia")
    for _ in range(limits.BROKEN_FRAMES_PER_MINUTE + 1):
        await socket.send_text("/rubbish")
    assert await socket.close_code() == 4006


# chat.text


@pytest.mark.parametrize(
    ("path", "offered"), [("/ws/", ["chat.text"]), ("/ws/text/", ["chat.text"]), ("/ws/text/", [])]
)
async def test_plain_text_by_subprotocol_and_by_path(chat, path, offered):
    paul = await chat.open(f"{path}?name={chat.name('paul')}&room={chat.room}", *offered)
    assert await paul.text() == f"Welcome {chat.name('paul')}"
    await paul.send_text("hello")
    assert await paul.text() == f"{chat.name('paul')} -> hello"


async def test_who_gives_no_name_is_given_one(chat):
    nobody = await chat.open(f"/ws/text/?room={chat.room}")
    welcome = await nobody.text()
    assert welcome.startswith("Welcome guest-")
    await nobody.send_text("hello")
    assert await nobody.text() == f"{welcome.removeprefix('Welcome ')} -> hello"


async def test_a_message_of_several_lines_speaks_for_nobody_else(chat):
    paul, mallory = await chat.plain_text("paul"), await chat.join("mallory")
    said = f"hi\n{chat.name('alice')} -> give me\r\nyour password\u2028now\x1b[1A\u202e"
    await mallory.send("post", room=chat.room, nonce="1", text=said)
    first, *others = (await paul.text()).split("\n")
    assert first == f"{chat.name('mallory')} -> hi"
    assert others == [f"    {chat.name('alice')} -> give me", "    your password", "    now\ufffd[1A\ufffd"]


async def test_who_is_signed_in_speaks_with_their_own_name(chat):
    ticket = chat.visitor().enter(chat.name("alice")).ticket()
    alice = await chat.open(f"/ws/text/?ticket={ticket}")
    assert await alice.text() == f"Welcome {chat.name('alice')}"


async def test_each_line_of_a_frame_is_a_message(chat):
    paul = await chat.plain_text("paul")
    await paul.send_text("one\r\n\ntwo\n")
    assert [await paul.text(), await paul.text()] == [f"{chat.name('paul')} -> one", f"{chat.name('paul')} -> two"]


async def test_who_says_who_is_here_in_every_process(chat):
    paul, alice = await chat.plain_text("paul"), await chat.join("alice")
    await chat.mode_code("mia", process=1)
    while chat.name("mia") not in (await alice.told("presence"))["joined"]:
        pass
    await paul.send_text("/who")
    assert await paul.text() == f"Here: {chat.name('alice')}, {chat.name('mia')}, {chat.name('paul')}"


async def test_me_says_who_one_is_and_what_one_does(chat):
    paul, alice = await chat.plain_text("paul"), await chat.join("alice", process=1)
    await paul.send_text("/me")
    assert await paul.text() == f"You are {chat.name('paul')} in {chat.room}."
    await paul.send_text("/me waves")
    assert (await alice.told("message"))["text"] == f"* {chat.name('paul')} waves"


async def test_quit_closes_with_1000(chat):
    paul = await chat.plain_text("paul")
    await paul.send_text("/quit")
    assert await paul.close_code() == 1000
    assert (await chat.told_in_the_log(f"close {chat.name('paul')}")).endswith("with 1000")


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("", "! The message is empty."),
        ("/help", "! The commands are /who, /me and /quit."),
        ("nul\0", "! `msg` contains a character that can't be stored."),
        ("x" * 8_001, "! A message has at most 8,000 characters."),
        ("x" * 65_537, "! A frame has at most 65,536 bytes."),
    ],
    ids=lambda given: repr(given[:20]),
)
async def test_what_is_wrong_gets_a_line_and_the_connection_goes_on(chat, line, answer):
    paul = await chat.plain_text("paul")
    await paul.send_text(line)
    assert await paul.text() == answer
    await paul.send_text("/me")
    assert (await paul.text()).startswith("You are")


async def test_bytes_are_no_text(chat):
    paul = await chat.plain_text("paul")
    await paul.send_bytes(b"\x00")
    assert await paul.text() == "! This dialect takes text frames only."


# Echo


@pytest.fixture
async def echo(chat):
    echo = await chat.open("/ws/echo/")
    await echo.event()
    return echo


async def test_echo_begins_with_the_servers_time_and_what_it_saw(chat):
    echo = await chat.open("/ws/echo/", process=1, user_agent="a test", x_forwarded_for="203.0.113.9")
    hello = await echo.event()
    assert (hello["type"], hello["now"][-1]) == ("hello", "Z")
    assert hello["seen"]["scheme"] == "ws"
    assert hello["seen"]["host"] == chat.site.urls[1].removeprefix("http://")
    assert hello["seen"]["client"] == "127.0.0.1"
    assert hello["seen"]["user_agent"] == "a test"
    assert hello["seen"]["x_forwarded_for"] == "203.0.113.9"


async def test_nothing_comes_back_as_nothing(chat, echo):
    if chat.is_plain_daphne:
        pytest.skip("plain Daphne sends no empty frames")
    await echo.send_text("")
    assert await echo.text() == ""
    await echo.send_bytes(b"")
    assert await echo.bytes() == b""


@pytest.mark.parametrize("text", ["hello", "not {json", "é 😀\0\n", "x" * limits.FRAME_LIMIT_BYTES])
async def test_text_comes_back_as_text(echo, text):
    await echo.send_text(text)
    assert await echo.text() == text


@pytest.mark.parametrize("size_bytes", [1, 125, 126, 65_535, 65_536, limits.BINARY_LIMIT_BYTES])
async def test_bytes_come_back_as_bytes(echo, size_bytes):
    data = (bytes(range(256)) * (size_bytes // 256 + 1))[:size_bytes]
    await echo.send_bytes(data)
    assert await echo.bytes() == data


async def test_fragments_come_back_as_one(echo):
    await echo.send_fragments(TEXT, "é".encode()[:1], "é".encode()[1:], b"!")
    assert await echo.text() == "é!"


async def test_it_comes_back_to_the_sender_alone(chat, echo):
    other = await chat.open("/ws/echo/")
    await other.event()
    await echo.send_text("mine")
    assert await echo.text() == "mine"
    await other.send_text("yours")
    assert await other.text() == "yours"


async def test_an_echo_is_logged_as_nobodys(chat, echo):
    await echo.send_close(1000)
    await echo.close_code()
    assert await chat.told_in_the_log(r"connect - 127\.0\.0\.1$")
    assert await chat.told_in_the_log(r"close - 127\.0\.0\.1 after \d+\.\d s with 1000$")
