"""Edits, deletions and reactions: the message gets its next number and its new state, once for each nonce."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from chat.rooms import permissions
from chat.wire import codec, events
from chat.wire.refusals import NO_SUCH_MESSAGE, Refusal
from chat.wire.verbs import Delete, Edit, React

from . import rows, rules
from .entries import Amendment, Receipt
from .known import Known, LockedRoom

NOT_YOURS = ("forbidden", "This message is not yours.")


class Amended(NamedTuple):
    """The receipt; the message's new state, or None where it was so already; whether the nonce is to be kept."""

    receipt: Receipt
    message: events.Message | None
    is_first: bool


def amend(known: Known, user_id: int, room: LockedRoom, verb: Amendment, html: str) -> Amended:
    """With a nonce the first answer stands, also the one that it was so already. `html`: what a new text looks like."""
    identity = (room.slug, user_id, verb.nonce or "")
    if verb.nonce is not None and identity in known.amended:
        return Amended(Receipt(room.slug, *known.amended[identity], is_repeat=True), None, is_first=False)
    message = _amended(known, user_id, room, verb, html)
    _, current = known.targets[room.slug, verb.seq]
    receipt = Receipt(room.slug, current.seq, current.version, is_repeat=message is None)
    if verb.nonce is not None:
        known.amended[identity] = (receipt.seq, receipt.version)
    return Amended(receipt, message, is_first=verb.nonce is not None)


def _amended(known: Known, user_id: int, room: LockedRoom, verb: Amendment, html: str) -> events.Message | None:
    match verb:
        case Edit():
            return _edit(known, user_id, room, verb, html)
        case Delete():
            return _delete(known, user_id, room, verb)
        case React():
            return _react(known, user_id, room, verb)


def _edit(known: Known, user_id: int, room: LockedRoom, verb: Edit, html: str) -> events.Message | None:
    author_id, message = _target(known, room, verb.seq)
    if author_id != user_id:
        raise Refusal(*NOT_YOURS)
    if message.deleted:
        raise Refusal(*NO_SUCH_MESSAGE)
    rules.check_may_be_edited(message)
    if message.text == verb.text:
        return None
    return _change(known, room, message, text=verb.text, html=html, edited_at=known.now)


def _delete(known: Known, user_id: int, room: LockedRoom, verb: Delete) -> events.Message | None:
    """The row stays, empty: its place and its numbers are part of the room."""
    author_id, message = _target(known, room, verb.seq)
    if author_id != user_id and not permissions.may_moderate(known.roles.get((room.slug, user_id))):
        raise Refusal(*NOT_YOURS)
    if message.deleted:
        return None
    return _change(known, room, message, text="", html="", reactions={}, binary=None, deleted=True)


def _react(known: Known, user_id: int, room: LockedRoom, verb: React) -> events.Message | None:
    """It travels as what changed; a page that is read later has the message's whole state."""
    _, message = _target(known, room, verb.seq)
    if message.deleted:
        raise Refusal(*NO_SUCH_MESSAGE)
    name, emoji = known.people[user_id].name, rules.canonical_emoji(verb.emoji) or verb.emoji
    if (name in message.reactions.get(emoji, ())) == verb.on:
        return None
    if verb.on:
        rules.check_may_take_reaction(message.reactions, emoji, name)
    reactions = with_reaction(message.reactions, emoji, name, verb.on)
    reacted = events.Reaction(
        room=room.slug, seq=message.seq, version=room.head + 1, emoji=emoji, name=name, on=verb.on
    )
    return _change(known, room, message, event=codec.encode(reacted), reactions=reactions)


def with_reaction(reactions: dict[str, list[str]], emoji: str, name: str, on: bool) -> dict[str, list[str]]:
    """Other reactions as they were; an emoji that nobody has any more is gone."""
    names = [other for other in reactions.get(emoji, ()) if other != name] + ([name] if on else [])
    others = {other: list(those) for other, those in reactions.items() if other != emoji}
    if emoji not in reactions or not names:
        return {**others, emoji: names} if names else others
    return {other: names if other == emoji else list(those) for other, those in reactions.items()}


def _target(known: Known, room: LockedRoom, seq: int) -> tuple[int, events.Message]:
    if (target := known.targets.get((room.slug, seq))) is None:
        raise Refusal(*NO_SUCH_MESSAGE)
    return target


def _change(
    known: Known, room: LockedRoom, message: events.Message, event: bytes | None = None, **changed: Any
) -> events.Message:
    new = msgspec.structs.replace(message, version=room.next_number(), **changed)
    author_id, _ = known.targets[room.slug, new.seq]
    known.targets[room.slug, new.seq] = (author_id, new)
    room.changes.append(rows.change_of(new, event=event))
    return new
