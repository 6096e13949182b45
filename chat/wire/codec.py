"""How a frame of `chat.v1` becomes bytes and back: UTF-8 JSON objects, one a line, one or more lines a frame."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Union

import msgspec

from accounts.text import is_storable

from .events import Message
from .refusals import BrokenFrame
from .verbs import VERBS, Verb

SUBPROTOCOL = "chat.v1"
TICKET_PREFIX = "ticket."
_encoder = msgspec.json.Encoder()
_verb_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Union[VERBS])  # noqa: UP007 (a tuple)
_object_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_message_decoder = msgspec.json.Decoder(Message)
encode = _encoder.encode
decode_message = _message_decoder.decode


def decode_verb(line: str) -> Verb:
    """One line of a text frame as a verb, or BrokenFrame with the code that the client is told."""
    try:
        verb = _verb_decoder.decode(line)
    except msgspec.ValidationError as problem:
        raise _explain(line, problem) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise BrokenFrame("bad_json", "This is not a JSON object.") from None
    _check_strings(verb)
    return verb


def decode_object(line: str) -> dict[str, Any]:
    """The fields of a JSON object, or BrokenFrame; of arrays and objects among them, nothing but that they are there.

    What is nested makes no objects here: one that is made where the stack ends may have the garbage collector run
    there, and whatever that calls fails.
    """
    try:
        return {name: _scalar(raw) for name, raw in _object_decoder.decode(line).items()}
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise BrokenFrame("bad_json", "This is not a JSON object.") from None


def _scalar(raw: msgspec.Raw) -> Any:
    return ... if bytes(raw)[:1] in b"[{" else msgspec.json.decode(raw)


def _explain(line: str, problem: msgspec.ValidationError) -> BrokenFrame:
    try:
        given = decode_object(line)
    except BrokenFrame as broken:
        return broken
    id = given.get("id")
    id = id if isinstance(id, str | int) and not isinstance(id, bool) else None
    if str(problem).startswith("Invalid value") and str(problem).endswith("`$.type`"):
        return BrokenFrame("unknown_type", f"There is no such type: {_shown(given['type'])}.", id)
    return BrokenFrame("bad_frame", f"{problem}.", id)


def _shown(value: object) -> str:
    return repr(value)[:80]


def _check_strings(verb: Verb) -> None:
    """No database keeps a NUL, and no socket a half of a surrogate pair."""
    for field in verb.__struct_fields__:
        value = getattr(verb, field)
        if isinstance(value, str) and not is_storable(value):
            raise BrokenFrame("bad_frame", f"`{field}` contains a character that can't be stored.", verb.id)


def complete_from(event: bytes, number: int) -> bytes:
    """The same event, which also stands for what was changed after that number and overtaken by it."""
    tag, _, rest = event.partition(b",")
    return b'%b,"from":%d,%b' % (tag, number, rest)


def now() -> datetime:
    """The current time in UTC, to the millisecond: what messages carry."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
