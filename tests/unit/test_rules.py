"""What may be said: texts with something to see in them, and reactions that are one emoji."""

import pytest

from chat import limits
from chat.messages import rules
from chat.wire.refusals import Refusal

FILLERS = "\u115f\u1160\u2800\u3164\uffa0"
FORMATS = "\u00ad\u180e\u200b\u200d\u200e\u202e\u2060\ufeff\U000e0041"
MARKS = "\u0301\u034f\ufe0f\U000e0100"


@pytest.mark.parametrize(
    "text", ["", " \n\t", *FILLERS, *FORMATS, *MARKS, "\x01\x7f", f"{FILLERS} {FORMATS}{MARKS}"], ids=ascii
)
def test_a_text_without_anything_to_see_is_empty(text):
    with pytest.raises(Refusal) as refused:
        rules.check_text(text)
    assert refused.value.code == "empty"


@pytest.mark.parametrize("text", ["a", "?", "…", "😀", "李", "\u200bא", "7", "e\u0301", "_", "©"], ids=ascii)
def test_a_text_with_anything_to_see_is_one(text):
    rules.check_text(text)


def test_a_text_has_its_limit():
    rules.check_text("x" * limits.TEXT_LIMIT_CHARACTERS)
    with pytest.raises(Refusal) as refused:
        rules.check_text("x" * (limits.TEXT_LIMIT_CHARACTERS + 1))
    assert refused.value.code == "too_long"


@pytest.mark.parametrize(
    ("text", "emoji"),
    [
        ("❤", "❤\ufe0f"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("👍", "👍"),
        ("👍\ufe0f", "👍"),
        ("👍🏽", "👍🏽"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("🇩🇪", "🇩🇪"),
        ("1\ufe0f\u20e3", "1\ufe0f\u20e3"),
    ],
)
def test_an_emoji_has_one_form(text, emoji):
    assert rules.canonical_emoji(text) == emoji


@pytest.mark.parametrize(
    "text", ["", "1", "A", "lol", "<b>", "👍👍", "👍 ", "\ufe0f", "\u202e", "\u200b", "🇩", "\x01"], ids=ascii
)
def test_what_is_not_one_emoji_is_no_reaction(text):
    with pytest.raises(Refusal) as refused:
        rules.check_emoji(text)
    assert refused.value.code == "bad_frame"


def test_one_person_leaves_reactions_for_others():
    mine = {str(number): ["ada"] for number in range(limits.REACTIONS_PER_PERSON)}
    with pytest.raises(Refusal):
        rules.check_may_take_reaction(mine, "👍", "ada")
    rules.check_may_take_reaction(mine, "👍", "bob")


def test_a_message_takes_so_many_kinds_and_names():
    kinds = {str(number): ["ada"] for number in range(limits.REACTIONS_PER_MESSAGE)}
    with pytest.raises(Refusal):
        rules.check_may_take_reaction(kinds, "👍", "bob")
    rules.check_may_take_reaction(kinds, "0", "bob")
    crowd = {"👍": [str(number) for number in range(limits.NAMES_PER_REACTION)]}
    with pytest.raises(Refusal):
        rules.check_may_take_reaction(crowd, "👍", "bob")
