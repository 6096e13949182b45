import contextlib
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import names

EVERY_CHARACTER = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]


@pytest.mark.parametrize(
    "name",
    ["alice", "Alice", "x", "7", "a.b-c_d", "guest-4f2a", "李雷", "Ωμέγα", "Zoë", "अनुराधा", "ไพลิน", "ß", "a" * 32],
)
def test_takes_letters_and_digits_of_any_script(name):
    assert names.check(name) == unicodedata.normalize("NFKC", name)


@pytest.mark.parametrize("name", ["", " ", "a" * 33, "\u3000"])
def test_has_1_to_32_characters(name):
    with pytest.raises(names.BadName, match="up to 32"):
        names.check(name)


@pytest.mark.parametrize(
    "name",
    [
        "two words",
        "tab\tbed",
        "line\nbreak",
        "nul\0l",
        "<b>",
        "a/b",
        "a@b",
        "a:b",
        "it's",
        "smile🙂",
        "soft\u00adhyphen",
        "zero\u200bwidth",
        "joined\u200dnames",
        "right\u202eto-left",
        "isolated\u2066name\u2069",
        "tag\U000e0041ged",
        "private\ue000use",
        "half\ud800pair",
        "½",
        "Ⅳ°",
    ],
)
def test_has_nothing_but_letters_and_digits(name):
    with pytest.raises(names.BadName, match="letters, digits"):
        names.check(name)


@pytest.mark.parametrize(
    "invisible",
    ["\u034f", "\u115f", "\u1160", "\u17b4", "\u180b", "\u3164", "\ufe0f", "\uffa0", "\U000e0100"],
    ids=lambda character: f"U+{ord(character):04X}",
)
def test_has_no_invisible_letters_or_marks(invisible):
    with pytest.raises(names.BadName):
        names.check(f"al{invisible}ice")


@pytest.mark.parametrize("name", [".alice", "alice.", "-a", "a-", "_", "\u0301alice"])
def test_begins_and_ends_with_a_letter_or_a_digit(name):
    with pytest.raises(names.BadName, match="start and end"):
        names.check(name)


def test_spaces_around_a_name_are_not_part_of_it():
    assert names.check("  alice \n") == "alice"


def test_one_look_is_one_spelling():
    assert names.check("ａｌｉｃｅ") == "alice"
    assert names.check("Zoe\u0308") == "Zoë"


@pytest.mark.parametrize(
    ("name", "same"),
    [("alice", "ALICE"), ("straße", "STRASSE"), ("Σίσυφος", "σίσυφοσ"), ("Zoë", "ZOE\u0308"), ("ａｌｉｃｅ", "Alice")],
)
def test_names_that_differ_in_case_or_spelling_are_the_same(name, same):
    assert names.key(name) == names.key(same)


def test_different_names_have_different_keys():
    assert len({names.key(name) for name in ("alice", "alicé", "alice1", "al-ice", "al.ice")}) == 5


def test_every_single_character_has_one_normal_form_and_one_key():
    for character in EVERY_CHARACTER:
        try:
            normal = names.check(character)
        except names.BadName:
            continue
        assert names.check(normal) == normal, f"U+{ord(character):04X}"
        assert names.key(normal) == names.key(character), f"U+{ord(character):04X}"


@given(st.text(st.characters(categories=["L", "Nd", "Mn", "Mc"]), min_size=1, max_size=40))
def test_checking_twice_changes_nothing(name):
    try:
        normal = names.check(name)
    except names.BadName:
        return
    assert names.check(normal) == normal
    assert names.key(names.key(normal)) == names.key(normal)
    assert len(names.key(normal)) <= 4 * names.LENGTH_LIMIT


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_is_a_name_or_a_bad_name(name):
    with contextlib.suppress(names.BadName):
        assert names.key(names.check(name))


def test_somebody_without_a_name_is_given_a_good_one():
    name = names.for_nobody(5)
    assert names.check(name) == name
    assert len(name.removeprefix("guest-")) == 5
