"""Two processes, a courier that loses parcels, and people who come and go: whatever happens, all end with the same."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import limits
from chat.wire import verbs
from rig.timeline import Timeline
from rig.waiting import all_done
from tests.unit.stage import LOBBY, Process, Store, said, set_up

PEOPLE = [("alice", 0), ("bob", 0), ("carol", 1), ("dave", 1)]
WHO = st.integers(0, len(PEOPLE) - 1)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["post", "edit", "come_back", "leave", "join"]), WHO),
        st.tuples(st.sampled_from(["cut", "mend", "compare_heads", "settle"]), st.integers(0, 1)),
        st.tuples(st.just("slow_down"), st.just(0)),
    ),
    max_size=20,
)


class Person:
    """A client that keeps what it was told, over all of its connections."""

    def __init__(self, process, name, user_id):
        self._process, self._name, self._user_id = process, name, user_id
        self.timeline = Timeline()
        self._participant = None

    async def connect(self):
        if self._participant is not None:
            self._participant.close(is_by_peer=True)
        self._participant, self._socket = self._process.arrive(self._name, self._user_id)
        self._heard, self._unread = 0, []
        self.join()
        self._opening = asyncio.create_task(self._open(self._participant, self._unread))
        await all_done()

    async def _open(self, participant, unread):
        """A server hands over nothing until the connection is open."""
        await participant.open(accepted_at=1.0)
        if participant is self._participant:
            self._unread = None
            for verb in unread:
                self.asks(verb)

    def asks(self, verb):
        if self._unread is None:
            self._participant.take_text(said(verb))
        else:
            self._unread.append(verb)

    def join(self):
        position = self.timeline.position
        epoch = self.timeline.epoch if position is not None else None
        self.asks(verbs.Join(id=1, room="lobby", after=position, epoch=epoch))

    def leave(self):
        self.asks(verbs.Leave(room="lobby"))

    def listen(self):
        """Take what came; what is not complete yet is asked for again."""
        events = self._socket.events
        new, self._heard = events[self._heard :], len(events)
        for event in new:
            if event["type"] == "joined":
                self.timeline.page(event)
            elif event["type"] == "message":
                self.timeline.live(event)
            assert event["type"] not in ("resync", "error", "bye"), event


class World:
    """The database, two processes, and everybody."""

    def __init__(self):
        self.store = Store()
        self.processes = []
        self.number = 0

    async def begin(self):
        self.store.add("first")
        self.processes = [Process(), Process()]
        self.people = [Person(self.processes[at], name, 7 + n) for n, (name, at) in enumerate(PEOPLE)]
        for person in self.people:
            await person.connect()
            await all_done()

    async def end(self):
        for process in self.processes:
            await process.runtime.hub.stop()

    async def post(self, who):
        self.number += 1
        self.people[who].asks(verbs.Post(room="lobby", nonce=str(self.number), text=f"message {self.number}"))

    async def edit(self, who):
        self.number += 1
        self.people[who].asks(verbs.Edit(room="lobby", seq=1, text=f"edited {self.number}"))

    async def come_back(self, who):
        self.people[who].listen()
        await self.people[who].connect()

    async def leave(self, who):
        self.people[who].leave()

    async def join(self, who):
        self.people[who].listen()
        self.people[who].join()

    async def cut(self, which):
        self.processes[which].runtime.link.is_cut = True

    async def mend(self, which):
        self.processes[which].runtime.link.is_cut = False

    async def slow_down(self, which):
        self.store.slow_down()

    async def settle(self, which):
        self.store.answer()
        await all_done()

    async def compare_heads(self, which):
        self.processes[which].runtime.hub.repair.compare(self.store.heads([LOBBY]))


async def play(steps):
    world = World()
    with pytest.MonkeyPatch.context() as monkeypatch:
        set_up(monkeypatch, world.store)
        for name in ("HOLD_S", "AMENDMENTS_COALESCED_S", "QUIET_NEWCOMER_S"):
            monkeypatch.setattr(limits, name, 0)
        await world.begin()
        for step, argument in steps:
            await getattr(world, step)(argument)
        await everybody_is_complete(world)
        await world.end()


async def everybody_is_complete(world):
    """After the comparison of heads, which comes every second, and for those who left once they are back."""
    await world.settle(0)
    for person in world.people:
        person.listen()
        person.join()
    await all_done()
    for which in (0, 1):
        await world.compare_heads(which)
        await all_done()
    newest = {change.seq: change for change in world.store.changes}
    for person in world.people:
        person.listen()
        assert person.timeline.gaps == 0
        assert person.timeline.position == world.store.head
        assert {seq: m["version"] for seq, m in person.timeline.messages.items()} == {
            seq: change.version for seq, change in newest.items()
        }


@given(STEPS)
def test_whatever_is_lost_and_whoever_comes_and_goes_everybody_ends_with_the_same(steps):
    asyncio.run(play(steps))


@pytest.mark.parametrize(
    "steps",
    [
        [("cut", 0), ("post", 0), ("mend", 0), ("post", 0)],
        [("slow_down", 0), ("come_back", 2), ("post", 0), ("settle", 0)],
        [("leave", 2), ("post", 0), ("edit", 0), ("settle", 0), ("join", 2)],
        [("cut", 0), ("post", 0), ("slow_down", 0), ("come_back", 2), ("compare_heads", 1), ("settle", 0)],
    ],
)
async def test_a_story_of_losses(steps):
    await play(steps)
