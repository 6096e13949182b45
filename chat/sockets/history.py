"""A page of what was said in a room: before a place, after it, or around it."""

from __future__ import annotations

from chat import limits
from chat.live.catch_up import raw
from chat.messages import pages
from chat.wire.events import HistoryPage
from chat.wire.refusals import NO_SUCH_MESSAGE, Refusal
from chat.wire.verbs import History


async def page(room_id: int, verb: History) -> HistoryPage:
    """The answer to a `history`, for somebody who may see the room."""
    limit = max(1, min(verb.limit, limits.HISTORY_PAGE_LIMIT))
    if verb.around is not None:
        return await _around(room_id, verb, verb.around, limit)
    if verb.after is not None:
        found = await pages.after(room_id, verb.after, limit)
    else:
        found = await pages.before(room_id, verb.before or 0, limit)
    return HistoryPage(id=verb.id, room=verb.room, messages=raw(found.changes), more=found.more)


async def _around(room_id: int, verb: History, seq: int, limit: int) -> HistoryPage:
    if (found := await pages.around(room_id, seq, limit)) is None:
        raise Refusal(*NO_SUCH_MESSAGE)
    return HistoryPage(
        id=verb.id, room=verb.room, messages=raw(found.changes), earlier=found.earlier, later=found.later
    )
