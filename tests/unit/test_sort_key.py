"""The order in which people look for titles."""

import random

from hypothesis import given
from hypothesis import strategies as st

from chat.models.sort_key import sort_key

IN_ORDER = [
    "2nd floor",
    "10th floor",
    "accounting",
    "Äpfel",
    "API",
    "École",
    "Help",
    "iOS",
    "Jobs",
    "Room 2",
    "Room 2b",
    "Room 007",
    "Room 10",
    "Room 10 000",
    "website",
    "Žižkov",
    "Зал",
    "客厅",
]


def test_titles_come_whatever_their_case_and_accents_and_numbers_by_size():
    shuffled = random.sample(IN_ORDER, len(IN_ORDER))
    assert sorted(shuffled, key=sort_key) == IN_ORDER


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80), st.text(max_size=3))
def test_different_titles_have_different_keys(title, more):
    assert (sort_key(title) == sort_key(title + more)) == (more == "")


@given(st.integers(0, 10**60), st.integers(0, 10**60))
def test_numbers_come_by_size(one, other):
    assert (sort_key(f"Room {one}") < sort_key(f"Room {other}")) == (one < other)
