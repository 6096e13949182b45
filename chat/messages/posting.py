"""A new message: the next number, the next ordinal, once for each nonce."""

from __future__ import annotations

from django.conf import settings

from chat import limits
from chat.wire import events
from chat.wire.dialects import PostBinary
from chat.wire.refusals import Refusal

from . import rows
from .entries import Posting, Receipt
from .known import Known, Lately, LockedRoom


def post(
    known: Known, user_id: int, room: LockedRoom, verb: Posting, html: str
) -> tuple[Receipt, events.Message | None]:
    """The receipt, and the message; None where it was posted before. `html`: what the text looks like."""
    identity = (room.slug, user_id, verb.nonce)
    if identity in known.said:
        seq = known.said[identity]
        return Receipt(room.slug, seq, seq, is_repeat=True), None
    _spend(known, user_id)
    message, blob = _new_message(known, user_id, room, verb, html)
    known.said[identity] = message.seq
    known.targets[room.slug, message.seq] = (user_id, message)
    room.changes.append(rows.change_of(message, blob))
    return Receipt(room.slug, message.seq, message.version, is_repeat=False), message


def _spend(known: Known, user_id: int) -> None:
    if not settings.CHAT_POSTS_PER_S:
        return
    count, since = known.lately_of(user_id)
    if count >= limits.POSTS_BURST:
        raise too_fast(_next_place_s(known, user_id))
    known.lately[user_id] = Lately(count + 1, since)


def _next_place_s(known: Known, user_id: int) -> float:
    """When the oldest post leaves the window; never later than a window from now, whatever the clock did."""
    window_s = known.window.total_seconds()
    left_s = (known.lately_of(user_id).since + known.window - known.now).total_seconds()
    return min(max(left_s, 0), window_s)


def too_fast(retry_after_s: float) -> Refusal:
    return Refusal("rate_limited", "You're sending too fast.", retry_after_s)


def _new_message(
    known: Known, user_id: int, room: LockedRoom, verb: Posting, html: str
) -> tuple[events.Message, bytes | None]:
    seq = room.next_number()
    blob = verb.data if isinstance(verb, PostBinary) else None
    message = events.Message(
        room=room.slug,
        seq=seq,
        ordinal=room.next_ordinal(),
        version=seq,
        author=known.people[user_id].name,
        nonce=verb.nonce,
        text=f"[{len(verb.data):,} bytes]" if isinstance(verb, PostBinary) else verb.text,
        html=html,
        created_at=known.now,
        binary=None if blob is None else len(blob),
    )
    return message, blob
