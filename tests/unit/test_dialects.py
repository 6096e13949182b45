import gc
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.wire import codec, events, verbs
from chat.wire.change import Change
from chat.wire.closes import Close
from chat.wire.dialects import ChatV1, Echo, ModeCode, PlainText, PostBinary, Quit, Say, Who
from chat.wire.refusals import BrokenFrame

ANY_TEXT = st.text(st.characters(exclude_categories=[]))
HELLO = events.Hello(
    name="alice",
    connection="t1-1",
    process="t1",
    rooms=[],
    heartbeat={},
    limits={},
    now=datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC),
)


def change(seq, text="hello", version=None, author="alice", blob=None, **fields):
    message = events.Message(
        room="lobby",
        seq=seq,
        ordinal=1,
        version=version or seq,
        author=author,
        nonce=f"n{seq}",
        text=text,
        created_at=datetime(2026, 11, 20, 10, 0, seq, tzinfo=UTC),
        **fields,
    )
    return Change(message.version, message.seq, codec.encode(message), blob)


def codes(requests):
    return [one.code if isinstance(one, BrokenFrame) else type(one).__name__ for one in requests]


def texts(frames):
    return [frame.payload.decode() for frame in frames]


# chat.v1


def test_every_line_of_a_frame_is_a_verb():
    requests = ChatV1().decode('{"type":"typing","room":"a"}\n{"type":"typing","room":"b"}')
    assert [verb.room for verb in requests] == ["a", "b"]


def test_a_broken_line_does_not_spoil_the_others():
    requests = ChatV1().decode('{"type":"typing","room":"a"}\nrubbish\n{"type":"shout"}\n{"type":"typing","room":"b"}')
    assert codes(requests) == ["Typing", "bad_json", "unknown_type", "Typing"]


def test_empty_lines_between_verbs_say_nothing():
    assert codes(ChatV1().decode('\n{"type":"typing","room":"a"}\r\n\r\n \n')) == ["Typing"]


@pytest.mark.parametrize("text", ["", "\n", " \r\n \n"])
def test_an_empty_frame_is_broken(text):
    assert codes(ChatV1().decode(text)) == ["bad_json"]


def test_changes_leave_as_one_frame_of_lines_just_as_they_came():
    changes = [change(1), change(2, text="two\nlines"), change(3, version=9)]
    (frame,) = ChatV1.encode_changes(changes)
    assert frame.payload.split(b"\n") == [change.body for change in changes]
    assert not frame.binary


def test_bytes_are_not_supported_yet():
    with pytest.raises(BrokenFrame) as caught:
        ChatV1().decode_bytes(b"\0")
    assert caught.value.code == "unsupported"


# ModeCode


@pytest.fixture
def mode_code():
    return ModeCode("lobby", "alice")


def test_a_message_goes_to_the_room_of_the_connection(mode_code):
    (post,) = mode_code.decode('{"ModeCode":"message","msg":"hello","room":"elsewhere"}')
    assert (post.room, post.text) == ("lobby", "hello")


def test_each_frame_is_a_new_message(mode_code):
    nonces = {mode_code.decode('{"ModeCode":"message","msg":"hello"}')[0].nonce for _ in range(100)}
    assert len(nonces) == 100


@pytest.mark.parametrize(
    "text",
    [
        '{"ModeCode":"heart_beat","msg":"ping"}',
        '{ "msg" : {"deep":[1,2,3]},\t"ModeCode":"heart_beat", "x":1e3}',
        '{"ModeCode":"heart_beat","ModeCode":"heart_beat","msg":"\\u00e9 é 😀"}\n',
    ],
)
def test_a_heart_beat_comes_back_byte_for_byte(mode_code, text):
    (echo,) = mode_code.decode(text)
    assert isinstance(echo, Echo)
    assert echo.frame.payload == text.encode()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "bad_json"),
        ("hello", "bad_json"),
        ("[]", "bad_json"),
        ('"message"', "bad_json"),
        ("[" * 50_000, "bad_json"),
        ('{"ModeCode":"heart_beat","msg":"\ud800"}', "bad_json"),
        ("{}", "unknown_type"),
        ('{"ModeCode":"shout","msg":"x"}', "unknown_type"),
        ('{"ModeCode":null,"msg":"x"}', "unknown_type"),
        ('{"ModeCode":["message"],"msg":"x"}', "unknown_type"),
        ('{"modecode":"message","msg":"x"}', "unknown_type"),
        ('{"ModeCode":"message"}', "bad_frame"),
        ('{"ModeCode":"message","msg":null}', "bad_frame"),
        ('{"ModeCode":"message","msg":{"a":1}}', "bad_frame"),
        ('{"ModeCode":"message","msg":"nul\\u0000"}', "bad_frame"),
    ],
    ids=lambda text: text[:40].encode("unicode_escape").decode(),
)
def test_what_is_not_mode_code_is_broken(mode_code, text, code):
    assert codes(mode_code.decode(text)) == [code]


@pytest.mark.parametrize("depth", [900, 1_000, 50_000])
@pytest.mark.parametrize("text", ["[", '{"msg":[', '{"ModeCode":"message","msg":{"a":'])
def test_nothing_is_made_of_what_is_nested(mode_code, text, depth):
    """The collector that an allocation may start at the end of the stack calls what then fails."""
    made = []

    def note(phase, info):
        made.append(phase)

    gc.callbacks.append(note)
    threshold = gc.get_threshold()
    gc.set_threshold(20)
    try:
        mode_code.decode(text + "[" * depth)
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(note)
    assert len(made) < 20


def test_bytes_go_to_the_room(mode_code):
    post = mode_code.decode_bytes(b"\x00\xff")
    assert isinstance(post, PostBinary)
    assert (post.room, post.data) == ("lobby", b"\x00\xff")


def test_each_message_is_a_frame_of_its_own():
    frames = texts(ModeCode.encode_changes([change(1, "one"), change(2, "two", author="bob")]))
    assert [json.loads(frame) for frame in frames] == [
        {"ModeCode": "message", "msg": "one", "name": "alice", "seq": 1, "time": "2026-11-20T10:00:01Z"},
        {"ModeCode": "message", "msg": "two", "name": "bob", "seq": 2, "time": "2026-11-20T10:00:02Z"},
    ]


def test_bytes_go_out_as_they_came():
    (frame,) = ModeCode.encode_changes([change(1, "[2 bytes]", blob=b"\x00\xff")])
    assert (frame.payload, frame.binary) == (b"\x00\xff", True)


def test_later_changes_of_a_message_are_not_said():
    assert ModeCode.encode_changes([change(1, version=5), change(2, version=6, deleted=True)]) == []


def test_errors_and_farewells_are_said_in_the_dialect():
    error = ModeCode.encode_event(events.Error(code="empty", message="A message has a text."))
    bye = ModeCode.encode_event(events.Bye(code=Close.REPLACED, reason="replaced"))
    assert json.loads(error.payload) == {"ModeCode": "error", "msg": "A message has a text.", "code": "empty"}
    assert json.loads(bye.payload) == {"ModeCode": "error", "msg": "replaced", "code": 4005}


def test_the_dialect_has_no_word_for_other_events():
    assert ModeCode.encode_event(HELLO) is None
    assert ModeCode.encode_event(events.Presence(room="lobby", count=1)) is None


# chat.text


@pytest.fixture
def plain_text():
    return PlainText("lobby", "alice")


def test_a_line_is_a_message(plain_text):
    posts = plain_text.decode("hello\r\n\n  two words \n{}\n")
    assert [post.text for post in posts] == ["hello", "  two words ", "{}"]
    assert {post.room for post in posts} == {"lobby"}


@pytest.mark.parametrize("text", ["", "\n", " \r\n"])
def test_an_empty_line_says_nothing(plain_text, text):
    assert codes(plain_text.decode(text)) == ["empty"]


def test_a_line_that_begins_with_a_slash_is_a_command(plain_text):
    who, me, waves, quit = plain_text.decode("/who\n/me\n/me  waves\n/quit")
    assert who == Who("lobby")
    assert me == Say("You are alice in lobby.")
    assert (type(waves), waves.text) == (verbs.Post, "* alice waves")
    assert quit == Quit()


@pytest.mark.parametrize("line", ["/help", "/", "/whois bob", "/QUIT", "/me/too"])
def test_other_commands_are_unknown(plain_text, line):
    assert codes(plain_text.decode(line)) == ["unknown_type"]


def test_a_line_that_cannot_be_kept_is_broken(plain_text):
    assert codes(plain_text.decode("nul\0\nhalf \ud800\nwhole")) == ["bad_frame", "bad_frame", "Post"]


def test_bytes_are_no_text(plain_text):
    with pytest.raises(BrokenFrame) as caught:
        plain_text.decode_bytes(b"\0")
    assert caught.value.code == "unsupported"


def test_it_welcomes_and_says_who_said_what():
    assert texts([PlainText.encode_event(HELLO)]) == ["Welcome alice"]
    assert texts(
        PlainText.encode_changes([change(1, "one"), change(2, "two", author="bob"), change(1, "1!", version=3)])
    ) == [
        "alice -> one",
        "bob -> two",
    ]


def test_it_says_errors_and_farewells_in_words():
    assert texts([PlainText.encode_event(events.Error(code="empty", message="No text."))]) == ["! No text."]
    assert texts([PlainText.encode_event(events.Bye(code=4005, reason="replaced"))]) == ["Bye: replaced"]
    assert PlainText.encode_event(events.Presence(room="lobby", count=1)) is None


# Any text in any dialect


@pytest.mark.parametrize("dialect", [ChatV1, ModeCode, PlainText])
@given(text=ANY_TEXT)
def test_any_text_asks_for_something_or_is_broken(dialect, text):
    requests = dialect("lobby", "alice").decode(text)
    assert requests
    for one in requests:
        if isinstance(one, Echo):
            assert one.frame.wire
        elif isinstance(one, verbs.Post):
            assert codec.is_storable(one.text)
