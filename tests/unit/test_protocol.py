import json
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chat import limits
from chat.wire import codec, events, verbs
from chat.wire.closes import Close
from chat.wire.frame import Frame
from chat.wire.refusals import BrokenFrame

EXAMPLES = {
    "join": {"room": "lobby", "after": 12, "epoch": "k3f9a2xx"},
    "leave": {"room": "lobby"},
    "look": {"rooms": ["lobby"]},
    "history": {"room": "lobby", "before": 50, "limit": 20},
    "post": {"room": "lobby", "nonce": "n1", "text": "hello"},
    "edit": {"room": "lobby", "seq": 12, "text": "hello again"},
    "delete": {"room": "lobby", "seq": 12},
    "react": {"room": "lobby", "seq": 12, "emoji": "👍", "on": False},
    "read": {"room": "lobby", "seq": 12},
    "typing": {"room": "lobby"},
    "heartbeat": {"at": {"lobby": 12}, "sent": 1764000000123},
}
OPTIONAL = {"after", "epoch", "limit", "on", "at", "sent"}
CODES = {"bad_json", "bad_frame", "unknown_type"}

ANY_TEXT = st.text(st.characters(exclude_categories=[]))
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)
TYPES = st.sampled_from([*EXAMPLES, "message", ""]) | ANY_JSON
FIELDS = st.sampled_from(sorted({"id"}.union(*EXAMPLES.values())))


def decode(**fields):
    return codec.decode_verb(json.dumps(fields))


def broken(line):
    with pytest.raises(BrokenFrame) as caught:
        codec.decode_verb(line)
    return caught.value


# Verbs


def test_every_verb_has_an_example_here():
    assert {decode(type=type, **fields).__class__ for type, fields in EXAMPLES.items()} == set(verbs.VERBS)


@pytest.mark.parametrize("type", EXAMPLES)
def test_a_verb_carries_its_fields_and_its_id(type):
    verb = decode(type=type, id="a1", **EXAMPLES[type])
    assert {field: getattr(verb, field) for field in EXAMPLES[type]} == EXAMPLES[type]
    assert verb.id == "a1"


@pytest.mark.parametrize("type", EXAMPLES)
def test_a_verb_needs_its_required_fields_only(type):
    required = {name: value for name, value in EXAMPLES[type].items() if name not in OPTIONAL}
    assert decode(type=type, **required).id is None
    for missing in required:
        rest = {name: value for name, value in required.items() if name != missing}
        assert broken(json.dumps({"type": type, **rest})).code == "bad_frame"


@pytest.mark.parametrize("type", EXAMPLES)
def test_unknown_fields_of_a_known_verb_are_ignored(type):
    assert decode(type=type, **EXAMPLES[type], from_the_future=[1, {"a": None}]).id is None


@pytest.mark.parametrize("id", ["", "a", 0, -1, 2**63, 10**300, "😀", "a" * 10_000])
def test_an_id_is_any_text_or_whole_number_and_can_be_given_back(id):
    verb = decode(type="leave", room="lobby", id=id)
    assert json.loads(codec.encode(events.Left(id=verb.id, room="lobby")))["id"] == id


# Broken frames


@pytest.mark.parametrize(
    "line",
    [
        "",
        " ",
        "hello",
        *("null", "1", '"join"', "[]"),
        "{",
        '{"type":"typing","room":"lobby"',
        '{"type":"typing","room":"lobby"}}',
        "{'type':'typing'}",
        '{"type":"typing","room":"a\x01b"}',
        '{"type":"typing","room":"\\ud800"}',
        '{"type":"typing","room":"\ud800"}',
        '{"type":"typing","room":NaN}',
        '\ufeff{"type":"typing","room":"lobby"}',
        '{"type":"heartbeat","sent":' + "1" * 5_000 + "}",
        "[" * 50_000,
        '{"type":"heartbeat","at":' + "[" * 30_000 + "]" * 30_000 + "}",
        '{"a":' * 10_000 + "1" + "}" * 10_000,
    ],
    ids=lambda line: repr(line[:40]),
)
def test_what_is_no_json_object_is_bad_json(line):
    assert broken(line).code == "bad_json"


@pytest.mark.parametrize(
    "line",
    [
        *("{}", '{"id":1}'),
        '{"type":null}',
        '{"type":1}',
        '{"type":["join"],"room":"lobby"}',
        '{"type":"join"}',
        '{"type":"join","room":null}',
        '{"type":"join","room":1}',
        '{"type":"join","room":"lobby","after":"1"}',
        '{"type":"join","room":"lobby","after":-1}',
        '{"type":"join","room":"lobby","after":1.5}',
        '{"type":"join","room":"lobby","after":true}',
        '{"type":"join","room":"lobby","after":9007199254740993}',
        '{"type":"join","room":"lobby","id":{}}',
        '{"type":"join","room":"lobby","id":true}',
        '{"type":"join","room":"lob\\u0000by"}',
        '{"type":"post","room":"lobby","nonce":"","text":"x"}',
        '{"type":"post","room":"lobby","nonce":"' + "n" * 65 + '","text":"x"}',
        '{"type":"post","room":"lobby","nonce":"n","text":["x"]}',
        '{"type":"post","room":"lobby","nonce":"n","text":"nul\\u0000"}',
        '{"type":"post","room":"lobby","nonce":"n\\u0000","text":"x"}',
        '{"type":"history","room":"lobby","before":null}',
        '{"type":"heartbeat","at":[]}',
        '{"type":"heartbeat","at":{"lobby":"12"}}',
        '{"type":"heartbeat","sent":{}}',
    ],
    ids=lambda line: repr(line[:60]),
)
def test_json_of_another_shape_is_a_bad_frame(line):
    assert broken(line).code == "bad_frame"


@pytest.mark.parametrize("type", ["", "shout", "hello", "JOIN", "join ", "\\ud83d\\ude00"])
def test_a_type_that_does_not_exist_is_unknown(type):
    assert broken(f'{{"type":"{type}","room":"lobby"}}').code == "unknown_type"


def test_the_message_names_the_field_that_is_wrong():
    assert "`$.after`" in broken('{"type":"join","room":"lobby","after":-1}').message
    assert "`text`" in broken('{"type":"post","room":"lobby","nonce":"n","text":"\\u0000"}').message


def test_the_message_shows_no_more_than_a_little_of_a_type():
    assert len(broken(json.dumps({"type": "x" * 60_000})).message) < 200


@pytest.mark.parametrize("id", ["a1", 7, 10**30])
@pytest.mark.parametrize("rest", ['"type":"shout"', '"type":"join"', '"type":"leave","room":"\\u0000"', '"no":"type"'])
def test_a_broken_verb_gives_back_its_id(id, rest):
    assert broken(f'{{"id":{json.dumps(id)},{rest}}}').id == id


@pytest.mark.parametrize("id", ["true", "1.5", "null", "[1]", '{"a":1}'])
def test_an_id_that_is_none_is_not_given_back(id):
    assert broken(f'{{"id":{id},"type":"shout"}}').id is None


def is_a_verb_or_broken(line):
    try:
        return isinstance(codec.decode_verb(line), verbs.Verb)
    except BrokenFrame as problem:
        problem.message.encode()
        return problem.code in CODES


@given(ANY_TEXT)
def test_any_text_is_a_verb_or_a_broken_frame(line):
    assert is_a_verb_or_broken(line)


@given(ANY_JSON)
def test_any_json_is_a_verb_or_a_broken_frame(value):
    assert is_a_verb_or_broken(json.dumps(value))


@given(TYPES, st.dictionaries(FIELDS, ANY_JSON))
@example("post", {"room": "lobby", "nonce": "n", "text": "\ud800"})
def test_any_fields_are_a_verb_or_a_broken_frame(type, fields):
    assert is_a_verb_or_broken(json.dumps({"type": type, **fields}))
    assert is_a_verb_or_broken(json.dumps({"type": type, **fields}, ensure_ascii=False))


@given(st.sampled_from(sorted(EXAMPLES)), st.data())
def test_a_cut_or_garbled_verb_is_a_verb_or_a_broken_frame(type, data):
    line = json.dumps({"type": type, **EXAMPLES[type]})
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(line))] * 2)))
    assert is_a_verb_or_broken(line[:start] + data.draw(ANY_TEXT) + line[end:])


# Events


def test_what_says_nothing_is_left_out():
    ack = events.Ack(room="lobby", seq=3, version=3)
    assert json.loads(codec.encode(ack)) == {"type": "ack", "room": "lobby", "seq": 3, "version": 3}


def test_a_message_comes_back_as_it_was_encoded():
    message = events.Message(
        room="lobby",
        seq=3,
        ordinal=2,
        version=5,
        author="李雷",
        nonce="n1",
        text='quote " and \\ and \u2028 and 😀',
        created_at=datetime(2026, 11, 20, 10, 0, 0, 123_000, UTC),
        reactions={"👍": ["alice"]},
    )
    assert codec.decode_message(codec.encode(message)) == message


def test_an_event_is_one_line_whatever_its_text():
    error = events.Error(code="empty", message="two\nlines\r\nand more")
    assert b"\n" not in codec.encode(error)


def test_times_are_in_utc_to_the_millisecond():
    now = codec.now()
    assert now.tzinfo is UTC
    assert now.microsecond % 1000 == 0
    assert codec.encode(now).endswith(b'Z"')


# Frames


@pytest.mark.parametrize(
    ("length", "header"),
    [
        (0, b"\x81\x00"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65_535, b"\x81\x7e\xff\xff"),
        (65_536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
        (limits.BINARY_LIMIT_BYTES, b"\x81\x7f\x00\x00\x00\x00\x00\x10\x00\x00"),
    ],
)
def test_a_frame_on_the_wire_is_its_header_and_its_payload(length, header):
    payload = b"x" * length
    assert Frame(payload).wire == header + payload


def test_a_binary_frame_says_so():
    assert Frame(b"\x00\xff", binary=True).wire == b"\x82\x02\x00\xff"


def test_a_frame_is_built_once():
    frame = Frame(b"hello")
    assert frame.wire is frame.wire


# Closing


def test_the_range_of_a_close_code_says_what_the_client_does():
    stays_away = {code for code in Close if 4000 <= code < 4100}
    backs_off = {code for code in Close if 4100 <= code < 4200}
    comes_when_told = {code for code in Close if 4200 <= code < 4300}
    assert stays_away | backs_off | comes_when_told == set(Close)
    assert {Close.REPLACED, Close.PROTOCOL_BROKEN, Close.PROTOCOL_NOT_SUPPORTED} <= stays_away
    assert {Close.TOO_SLOW, Close.OVERLOADED, Close.HEARTBEAT_MISSED} <= backs_off
    assert Close.RESTARTING in comes_when_told


def test_a_close_code_has_its_reason_in_words():
    assert Close.HEARTBEAT_MISSED.reason == "heartbeat missed"
