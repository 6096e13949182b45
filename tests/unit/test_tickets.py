"""Tickets: what they look like, and whom they admit."""

import re

import pytest

from accounts import tickets
from accounts.identity import NotAdmitted
from accounts.models import User
from rig.clock import Clock

TOKEN = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)  # RFC 9110, 5.6.2


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(tickets, "time", clock)
    return clock


@pytest.mark.parametrize("name", ["alice", "李雷", "Ångström", "o" * 32])
def test_a_ticket_is_a_token_whoever_it_is_for(name):
    """No browser takes anything else in a subprotocol."""
    assert TOKEN.fullmatch(tickets.issue_ticket(User(pk=7, username=name)))


def test_it_admits_whom_it_was_issued_for():
    person = tickets.by_ticket(tickets.issue_ticket(User(pk=7, username="alice")))
    assert (person.user_id, person.name, person.is_proved) == (7, "alice", False)


@pytest.mark.parametrize("ticket", ["", ".", "..", "a.b.c", "abc", "\0", "x" * 10_000])
def test_what_is_not_a_ticket_admits_nobody(ticket):
    with pytest.raises(NotAdmitted):
        tickets.by_ticket(ticket)


def test_a_ticket_that_was_changed_admits_nobody():
    ticket = tickets.issue_ticket(User(pk=7, username="alice"))
    for place in range(len(ticket)):
        with pytest.raises(NotAdmitted):
            tickets.by_ticket(ticket[:place] + ("A" if ticket[place] != "A" else "B") + ticket[place + 1 :])


def test_it_expires(clock):
    ticket = tickets.issue_ticket(User(pk=7, username="alice"), lifetime_s=60)
    clock.advance(61)
    with pytest.raises(NotAdmitted):
        tickets.by_ticket(ticket)
