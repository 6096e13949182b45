"""What a person does of their own accord: types, and writes numbered messages, edits, deletions and reactions."""

from __future__ import annotations

import asyncio
import random

from .client import Client
from .history import Write

EMOJI = ("👍", "🎉", "😄", "❤️")
KINDS = {"post": 52, "edit": 18, "delete": 4, "react": 23, "repeat": 3, "think better of it": 8}
BACKLOG_LIMIT = 30
RECENT = 20


class Author:
    """Writes through one client, so many times a second on average."""

    def __init__(self, client: Client, rate_per_s: float, chance: random.Random):
        self._client = client
        self._rate_per_s = rate_per_s
        self._chance = chance
        self._number = 0
        self._posts: list[Write] = []
        self._reacted: dict[tuple[str, int, str], bool] = {}

    async def write(self) -> None:
        """Until cancelled."""
        while True:
            (kind,) = self._chance.choices(list(KINDS), list(KINDS.values()))
            room = self._chance.choice(list(self._client.rooms))
            if kind in ("post", "think better of it"):
                await self._client.drafts.typed(room)
            await asyncio.sleep(self._chance.expovariate(self._rate_per_s))
            if kind == "think better of it":
                await self._client.drafts.thrown_away(room)
            elif kind in ("post", "repeat") and len(self._client.posts) < BACKLOG_LIMIT:
                self.post(room) if kind == "post" else self._repeat()
            elif kind in ("edit", "delete", "react") and len(self._client.changes) < BACKLOG_LIMIT:
                self._change(kind)

    def post(self, room: str) -> None:
        write = self._write("post", room)
        write.text = f"{write.author} #{write.number}" + " and so on" * self._chance.randrange(20)
        self._posts.append(write)
        self._client.posts.add(write)

    def _repeat(self) -> None:
        """The same once more, though it was acknowledged: as a second tab does, or one that was restored."""
        if acknowledged := [post for post in self._posts if post.acks]:
            self._client.posts.add(self._chance.choice(acknowledged))

    def _change(self, kind: str) -> None:
        if kind == "react":
            self._react()
        elif own := [post for post in self._posts[-RECENT:] if post.acks]:
            post = self._chance.choice(own)
            write = self._write(kind, post.room)
            write.seq = post.acks[0]["seq"]
            write.text = f"{post.author} #{post.number} edited by #{write.number}" if kind == "edit" else ""
            if kind == "delete":
                self._posts.remove(post)
            self._client.changes.add(write)

    def _react(self) -> None:
        """To something recent, one's own or not; the same again takes it back."""
        slug, room = self._chance.choice(list(self._client.rooms.items()))
        recent = sorted(room.messages)[-RECENT:]
        if recent:
            write = self._write("react", slug)
            write.seq, write.emoji = self._chance.choice(recent), self._chance.choice(EMOJI)
            place = (slug, write.seq, write.emoji)
            write.on = self._reacted[place] = not self._reacted.get(place, False)
            self._client.changes.add(write)

    def _write(self, kind: str, room: str) -> Write:
        self._number += 1
        write = Write(kind, self._client.name, room, self._number)
        write.nonce = f"{write.author}-{write.number}-{self._chance.getrandbits(32):08x}"
        self._client.story.writes.append(write)
        return write
