"""Edits and reactions that later ones overtake are left out; what is told says from which number it is complete."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import limits
from chat.wire import codec, events, verbs
from chat.wire.change import Change, without_overtaken
from chat.wire.dialects import ChatV1
from rig.timeline import Timeline
from rig.waiting import all_done
from tests.unit.stage import LOBBY, Store, said

FIRST = 1  # there before anything of this is told


class Room:
    """Changes of a room, one after the other, as the ledger makes them."""

    def __init__(self):
        self.store = Store()
        self.store.add("first")
        self.reactions = {}

    def changes(self, steps):
        self.store.changes[FIRST:] = []
        return [getattr(self, step)(number) for number, step in enumerate(steps)]

    def new(self, number):
        return self.store.add(f"message {number}")

    def edit(self, number):
        return self.store.edit(FIRST, f"edited {number}")

    def react(self, number):
        """The state, which later pages show; and what is told live."""
        version = self.store.head + 1
        event = events.Reaction(room="lobby", seq=FIRST, version=version, emoji="👍", name=f"n{number}", on=True)
        return self.store.edit(FIRST, f"edited {number}")._replace(event=codec.encode(event))


steps = st.lists(st.sampled_from(["new", "edit", "react"]), min_size=1, max_size=12)


def told(changes):
    (frame,) = ChatV1.encode_changes(without_overtaken(changes))
    return [json.loads(line) for line in frame.payload.split(b"\n")]


def numbers(changes):
    return [(event["type"], event["version"], event.get("from")) for event in told(changes)]


def test_of_several_edits_only_the_last_is_told_and_says_from_where_it_is_complete():
    assert numbers(Room().changes(["edit", "edit", "edit"])) == [("message", 4, 1)]


def test_what_overtakes_nothing_says_nothing_of_it():
    assert numbers(Room().changes(["new", "edit", "new"])) == [("message", n, None) for n in (2, 3, 4)]


def test_a_new_message_is_told_even_where_it_was_edited_at_once():
    """A simple dialect shows nothing else."""
    store = Store()
    changes = [store.add("new"), store.edit(1, "draft"), store.edit(1, "final")]
    assert numbers(changes) == [("message", 1, None), ("message", 3, 1)]


def test_a_reaction_before_an_edit_is_in_the_edited_state_and_one_behind_it_is_told():
    assert numbers(Room().changes(["react", "edit", "react"])) == [("message", 3, 1), ("reaction", 4, None)]


@given(steps)
def test_nobody_who_counts_finds_a_gap_and_everybody_ends_with_the_same(made):
    changes = Room().changes(made)
    timeline = Timeline()
    timeline.position = FIRST
    for event in told(changes):
        timeline.live(event)
    assert (timeline.gaps, timeline.position) == (0, changes[-1].version)
    newest = {change.seq: change for change in changes if change.event is None}
    for seq, change in newest.items():
        assert timeline.messages[seq]["text"] == codec.decode_message(change.body).text


@given(steps)
def test_new_messages_are_never_left_out(made):
    changes = Room().changes(made)
    new = [change.seq for change in changes if change.version == change.seq]
    assert [change.seq for change in without_overtaken(changes) if change.version == change.seq] == new


async def test_edits_that_come_within_a_moment_are_one_event_in_the_room(process, store, monkeypatch):
    monkeypatch.setattr(limits, "AMENDMENTS_COALESCED_S", 60)
    store.add("hello")
    alice, socket = await process.connect()
    alice.take_text(said(verbs.Join(room="lobby")))
    await all_done()
    hub = process.runtime.hub
    hub.committed(LOBBY, [store.edit(1, "draft 1")])
    await all_done()
    for number in range(2, 5):
        hub.committed(LOBBY, [store.edit(1, f"draft {number}")])
        await all_done()
    assert [event["text"] for event in socket.told("message")] == ["draft 1"]
    hub.committed(LOBBY, [store.add("next")])
    await all_done()
    heard = [(event["text"], event["version"], event.get("from")) for event in socket.told("message")]
    assert heard == [("draft 1", 2, None), ("draft 4", 5, 2), ("next", 6, None)]


async def test_whoever_joins_between_edits_and_their_telling_is_complete_too(process, store, monkeypatch):
    monkeypatch.setattr(limits, "AMENDMENTS_COALESCED_S", 60)
    store.add("hello")
    people = []
    for user_id, name in enumerate(("alice", "bob"), 7):
        person, socket = await process.connect(name, user_id)
        person.take_text(said(verbs.Join(room="lobby")))
        await all_done()
        people.append(socket)
        for number in range(2):
            process.runtime.hub.committed(LOBBY, [store.edit(1, f"{name} {number}")])
            await all_done()
    process.runtime.hub.committed(LOBBY, [store.add("next")])
    await all_done()
    for socket in people:
        timeline = Timeline()
        for event in socket.events:
            if event["type"] == "joined":
                timeline.page(event)
            elif event["type"] == "message":
                assert event.get("from", event["version"] - 1) == timeline.position, "told again"
                timeline.live(event)
        assert (timeline.gaps, timeline.position, timeline.texts) == (0, store.head, ["bob 1", "next"])


@pytest.mark.parametrize("count", [1, 3])
def test_the_bytes_that_are_told_are_those_that_were_encoded_once(count):
    changes = Room().changes(["new"] * count)
    (frame,) = ChatV1.encode_changes(without_overtaken(changes))
    assert frame.payload == b"\n".join(change.body for change in changes)
    assert isinstance(changes[0], Change)
