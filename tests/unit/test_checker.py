"""The judge of chaos runs, judged: a clean history passes, and each thing that can go wrong is called by its name."""

from collections import Counter

import pytest

from chaos.checker import check
from chaos.history import Blackout, Evidence, Heard, Kept, Roster, Row, Shown, Span, States, Story, Strike, View, Write
from chaos.nemesis import KINDS, plan
from chaos.options import Options
from chaos.report import report

END = 100.0


class History:
    """Two people in one room; ann wrote "one" and "two", which both saw. Tests break one thing of it."""

    def __init__(self):
        self.ann, self.bob = Story("ann"), Story("bob")
        self.rows = [
            Row(1, 1, "ann", "n1", "ann #1", False, False, {}),
            Row(2, 2, "ann", "n2", "ann #2", False, False, {}),
        ]
        self.states = States()
        self.strikes: list[Strike] = []
        self.logs = ""
        self.head = 2
        self.online = {"ann", "bob"}
        self.read: dict[tuple[str, str], int] = {}
        self.first, self.second = self.post(1, at=10.0), self.post(2, at=20.0)
        for story in (self.ann, self.bob):
            story.spans.append(Span(0.0, server=0))
            story.rosters.append(Roster(0.0, "lobby", frozenset({"ann", "bob"})))
            view = story.views["lobby"]
            view.shown = [Shown(10.1, 1, 0, "live"), Shown(20.1, 2, 0, "live")]
            view.head, view.is_live, view.online = 2, True, {"ann", "bob"}
            for row in self.rows:
                self.show(story, row)

    def post(self, number: int, at: float) -> Write:
        nonce = f"n{number}"
        post = Write("post", "ann", "lobby", number, nonce=nonce, text=f"ann #{number}", sent=[(at - 0.1, 0)])
        post.acks = [{"seq": number, "version": number, "nonce": nonce}]
        post.acked_at = at
        self.ann.writes.append(post)
        return post

    def change(self, kind: str, number: int, **fields) -> Write:
        """By ann, to her first message, acknowledged."""
        write = Write(kind, "ann", "lobby", number, seq=1, sent=[(30.0, 0)], **fields)
        write.acks, write.acked_at = [{"seq": 1, "version": number}], 30.1
        self.ann.writes.append(write)
        return write

    def show(self, story: Story, row: Row) -> None:
        view = story.views["lobby"]
        view.messages[row.seq] = self.states.note(message(row), story.name)

    def keep(self, row: Row) -> None:
        """The first row, as it is now in the database and before everybody's eyes."""
        self.rows[0] = row
        self.head = max(self.head, row.version)
        for story in (self.ann, self.bob):
            self.show(story, row)
            story.views["lobby"].head = self.head

    def ann_dies(self, at: float) -> None:
        self.ann.died_at = self.ann.spans[0].ended = at
        self.online = self.view(self.bob).online = {"bob"}

    def both_read(self, ordinal: int) -> None:
        """Everything, and said so; the database knows. Places have ordinals then."""
        self.rows[:] = [row._replace(ordinal=number) for number, row in enumerate(self.rows, 1)]
        for story in (self.ann, self.bob):
            story.read["lobby"] = self.read["lobby", story.name] = ordinal

    def view(self, story: Story) -> View:
        return story.views["lobby"]

    def evidence(self) -> Evidence:
        return Evidence(
            stories=[self.ann, self.bob],
            kept=Kept({"lobby": self.rows}, {"lobby": self.head}, self.read),
            states=self.states,
            strikes=self.strikes,
            online={0: {"lobby": self.online}},
            logs=self.logs,
            ended=END,
        )

    def findings(self) -> Counter[str]:
        return Counter(case.kind for case in check(self.evidence()))


def message(row: Row) -> dict:
    fields = {"room": "lobby", "seq": row.seq, "version": row.version, "author": row.author, "nonce": row.nonce}
    fields |= {"text": row.text}
    fields |= {"edited_at": "later"} if row.is_edited else {}
    fields |= {"deleted": True} if row.is_deleted else {}
    return fields | ({"reactions": row.reactions} if row.reactions else {})


@pytest.fixture
def history():
    return History()


def test_passes_what_is_as_it_should_be(history):
    assert not history.findings()


def test_passes_changes_that_everybody_sees(history):
    history.change("edit", 3, text="ann #1 edited")
    history.change("react", 4, emoji="👍", on=True)
    history.keep(Row(1, 4, "ann", "n1", "ann #1 edited", True, False, {"👍": ["ann"]}))

    assert not history.findings()


def test_finds_an_acknowledged_message_that_is_not_kept(history):
    history.post(3, at=30.0)

    assert history.findings()["lost"] == 1


def test_finds_a_message_that_never_reached_somebody(history):
    del history.view(history.bob).messages[2]

    assert history.findings()["lost"] == 1


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("edit", {"text": "ann #1 edited"}), ("delete", {}), ("react", {"emoji": "👍", "on": True})],
)
def test_finds_an_acknowledged_change_that_is_not_kept(history, kind, fields):
    history.change(kind, 3, **fields)

    assert history.findings() == {"lost": 1}


def test_finds_an_edit_that_an_older_one_undid(history):
    history.change("edit", 3, text="ann #1 older")
    history.change("edit", 4, text="ann #1 newer")
    history.keep(Row(1, 5, "ann", "n1", "ann #1 older", True, False, {}))

    assert history.findings() == {"lost": 1}


def test_forgives_a_later_change_whose_outcome_nobody_knows(history):
    history.change("edit", 3, text="ann #1 older")
    unanswered = history.change("edit", 4, text="ann #1 newer")
    unanswered.acks = []
    history.keep(Row(1, 5, "ann", "n1", "ann #1 newer", True, False, {}))

    assert history.findings() == {"stuck": 1}


def test_finds_one_nonce_at_two_places(history):
    history.rows.append(Row(3, 3, "ann", "n2", "ann #2", False, False, {}))

    assert history.findings()["doubled"] == 2  # by its nonce and by its text


def test_finds_one_text_with_two_nonces(history):
    history.rows.append(Row(3, 3, "ann", "n3", "ann #2", False, False, {}))

    assert history.findings()["doubled"] == 1


def test_finds_one_message_acknowledged_at_two_places(history):
    history.second.acks.append({"seq": 3, "version": 3, "nonce": "n2"})

    assert history.findings()["doubled"] == 1


def test_finds_one_place_acknowledged_to_two(history):
    history.second.acks = [{"seq": 1, "version": 1, "nonce": "n2"}]

    assert history.findings()["doubled"] == 1


def test_finds_messages_that_appeared_in_another_order(history):
    history.view(history.bob).shown = [Shown(20.1, 2, 0, "live"), Shown(20.2, 1, 0, "live")]

    assert history.findings()["reordered"] == 1


def test_lets_history_and_a_reload_begin_again(history):
    history.view(history.bob).shown += [Shown(30.0, 2, 1, "page"), Shown(30.1, 1, 1, "history")]

    assert not history.findings()


def test_finds_an_author_whose_order_was_changed(history):
    history.first.acks, history.second.acks = history.second.acks, history.first.acks

    assert history.findings()["reordered"] >= 1


def test_finds_a_message_that_was_shown_at_another_place(history):
    history.states.note(message(Row(3, 3, "ann", "n2", "ann #2", False, False, {})), "bob")

    assert history.findings()["reordered"] == 1


def test_finds_a_number_given_twice(history):
    history.rows[1] = history.rows[1]._replace(version=1)

    assert history.findings()["reordered"] == 2  # and the head is not the highest any more


def test_finds_a_message_that_is_not_kept_and_was_shown(history):
    history.states.note(message(Row(3, 3, "ann", "n9", "boo", False, False, {})), "bob")

    assert history.findings() == {"ghost": 1}


def test_finds_a_change_beyond_the_head(history):
    history.states.note(message(Row(2, 7, "ann", "n2", "ann #2", False, False, {})), "bob")

    assert history.findings() == {"ghost": 1}


def test_finds_a_reaction_that_nobody_asked_for(history):
    history.keep(Row(1, 3, "ann", "n1", "ann #1", False, False, {"👍": ["bob"]}))

    assert history.findings() == {"ghost": 1}


def test_finds_somebody_who_sees_another_text(history):
    history.change("edit", 3, text="ann #1 edited")
    history.keep(Row(1, 3, "ann", "n1", "ann #1 edited", True, False, {}))
    history.view(history.bob).messages[1] = message(Row(1, 1, "ann", "n1", "ann #1", False, False, {}))

    assert history.findings() == {"different": 1}


def test_finds_one_number_with_two_states(history):
    history.states.note(message(history.rows[1]) | {"text": "something else"}, "bob")

    assert history.findings() == {"different": 1}


def test_finds_a_deletion_that_nobody_asked_for(history):
    history.keep(Row(1, 3, "ann", "n1", "", False, True, {}))

    assert history.findings() == {"different": 1}


def test_finds_a_text_from_nowhere(history):
    history.keep(Row(1, 3, "ann", "n1", "hello", True, False, {}))

    assert history.findings() == {"different": 1}


def test_finds_what_came_late_to_somebody_who_was_there(history):
    history.view(history.bob).shown[1] = Shown(29.0, 2, 0, "live")

    assert history.findings() == {"late": 1}


@pytest.mark.parametrize(
    "strike",
    [Strike("stop", 18.0, frozenset([0]), ended=26.0), Strike("lock", 21.0, frozenset(["database"]), ended=26.0)],
)
def test_forgives_lateness_where_nothing_could_be_done(history, strike):
    history.strikes.append(strike)
    history.view(history.bob).shown[1] = Shown(29.0, 2, 0, "live")

    assert not history.findings()


def test_does_not_forgive_lateness_to_redis(history):
    history.strikes.append(Strike("redis-freeze", 18.0, frozenset(["valkey"]), ended=28.0))
    history.view(history.bob).shown[1] = Shown(29.0, 2, 0, "live")

    assert history.findings() == {"late": 1}


def test_does_not_call_late_what_came_to_somebody_who_was_away(history):
    history.bob.spans = [Span(0.0, 0, 19.0), Span(28.0, 0)]
    history.view(history.bob).shown[1] = Shown(29.0, 2, 0, "page")

    assert not history.findings()


def test_finds_a_server_that_does_not_know_who_is_there(history):
    history.online = {"ann"}

    assert history.findings() == {"presence": 1}


def test_finds_somebody_who_sees_the_gone(history):
    history.view(history.bob).online = {"ann", "bob", "zoe"}

    assert history.findings() == {"presence": 1}


def test_finds_the_dead_who_stay_online(history):
    history.ann_dies(at=40.0)

    assert history.findings() == {"presence": 1}


def test_passes_the_dead_who_were_seen_to_leave(history):
    history.ann_dies(at=40.0)
    history.bob.heard.append(Heard(60.0, "lobby", "ann", is_here=False))

    assert not history.findings()


def test_passes_the_dead_who_were_not_in_the_list_that_somebody_got_since(history):
    history.ann_dies(at=40.0)
    history.bob.rosters.append(Roster(39.0, "lobby", frozenset({"bob"})))

    assert not history.findings()


def test_finds_the_dead_who_were_told_to_be_there_after_the_list(history):
    history.ann_dies(at=40.0)
    history.bob.rosters.append(Roster(39.0, "lobby", frozenset({"bob"})))
    history.bob.heard.append(Heard(39.5, "lobby", "ann", is_here=True))

    assert history.findings() == {"presence": 1}


def test_finds_a_departure_of_somebody_who_was_there(history):
    history.bob.heard.append(Heard(60.0, "lobby", "ann", is_here=False))

    assert history.findings() == {"presence": 1}


def test_finds_a_write_without_an_answer(history):
    history.ann.writes.append(Write("react", "ann", "lobby", 3, seq=1, emoji="👍"))

    assert history.findings() == {"stuck": 1}


def test_finds_somebody_who_did_not_catch_up(history):
    history.view(history.bob).is_live = False

    assert history.findings() == {"stuck": 1}


def test_finds_somebody_who_was_sent_away(history):
    history.bob.sent_away = (50.0, 4005)
    history.online = history.view(history.ann).online = {"ann"}

    assert history.findings() == {"sent away": 1}


def test_finds_a_connection_that_ended_for_no_reason(history):
    history.strikes.append(Strike("redis-freeze", 45.0, frozenset(["valkey"]), ended=60.0))
    history.bob.blackouts.append(Blackout(50.0, server=0, code=1006, ended=51.0))

    assert history.findings() == {"unexplained": 1}


@pytest.mark.parametrize("touched", [0, "bob"])
def test_passes_a_connection_that_ended_with_its_server_or_was_cut(history, touched):
    history.strikes.append(Strike("kill", 49.9, frozenset([touched]), ended=52.0))
    history.bob.blackouts.append(Blackout(50.0, server=0, code=1006, ended=51.0))

    assert not history.findings()


def test_passes_readers_and_writers_who_said_so(history):
    history.both_read(2)
    history.ann.typed["lobby"] = 9.0
    history.bob.saw_typing["lobby", "ann"] = 9.1

    assert not history.findings()


def test_finds_a_reading_that_the_database_forgot(history):
    history.both_read(2)
    history.read["lobby", "bob"] = 1

    assert history.findings() == {"lost": 1}


def test_finds_a_reading_that_nobody_said(history):
    history.both_read(2)
    history.bob.read["lobby"] = 1

    assert history.findings() == {"ghost": 1}


@pytest.mark.parametrize("typed", [{}, {"lobby": 9.2}, {"tower": 9.0}], ids=["never", "later", "elsewhere"])
def test_finds_typing_of_somebody_who_did_not_type(history, typed):
    history.ann.typed.update(typed)
    history.bob.saw_typing["lobby", "ann"] = 9.1

    assert history.findings() == {"ghost": 1}


def test_expects_nothing_of_those_who_are_not_in_the_room(history):
    """Ann is alone in the tower."""
    post = Write("post", "ann", "tower", 3, nonce="n3", text="ann #3", sent=[(29.9, 0)])
    post.acks, post.acked_at = [{"seq": 1, "version": 1, "nonce": "n3"}], 30.0
    history.ann.writes.append(post)
    row = Row(1, 1, "ann", "n3", "ann #3", False, False, {})
    state = history.states.note(message(row) | {"room": "tower"}, "ann")
    history.ann.views["tower"] = View([Shown(30.1, 1, 0, "live")], {1: state}, 1, {"ann"}, is_live=True)
    evidence = history.evidence()
    evidence.kept.rooms["tower"], evidence.kept.heads["tower"] = [row], 1
    evidence.online[0]["tower"] = {"ann"}

    assert check(evidence) == []


def test_finds_an_error_that_nobody_should_see(history):
    history.bob.errors.append((50.0, "internal", "Something went wrong here."))

    assert history.findings() == {"errors": 1}


def test_finds_a_traceback(history):
    history.logs = 'fine\nERROR chat: no\nTraceback (most recent call last):\n  File "x", line 1\nKeyError: 1\nfine\n'

    (case,) = check(history.evidence())

    assert case.kind == "complaints"
    assert "KeyError: 1" in case.what
    assert "fine" not in case.what


def test_reports_what_is_wrong_with_its_history_and_how_to_see_it_again(history):
    history.strikes.append(Strike("kill", 25.0, frozenset([0]), note="server 0", ended=28.0))
    history.post(3, at=30.0)

    text = "\n".join(report(history.evidence(), check(history.evidence()), Options(7, 60, ("kill",))))

    assert "must be zero: 1 lost, 0 doubled" in text
    assert "'ann #3' was acknowledged and is not in the database" in text
    assert "kill server 0" in text
    assert "python -m chaos --seed 7" in text


def test_plans_the_same_for_the_same_seed():
    def made(seed):
        return plan(seed, 600, KINDS, servers=2, pause_s=5, longest_s=60)

    assert made(7) == made(7)
    assert made(7) != made(8)


def test_plans_every_kind_before_any_comes_again():
    faults = plan(1, 10_000, KINDS, servers=2, pause_s=5, longest_s=60)

    assert {fault.kind for fault in faults[: len(KINDS)]} == set(KINDS)
