"""The emoji that people can choose from."""

import json

import pytest
from django.test import RequestFactory
from django.utils import translation

from chat.messages import rules
from chat.pages import emoji_list


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_emoji_is_there_once_and_each_group_has_some(language):
    groups = emoji_list.grouped(language)
    signs = [sign for found in groups.values() for sign, _, _ in found]
    assert list(groups) == list(emoji_list.TITLES)
    assert all(groups.values())
    assert len(signs) == len(set(signs)) > 1800


def test_each_can_be_taken_for_a_reaction_as_it_is():
    signs = {sign for found in emoji_list.grouped("en").values() for sign, _, _ in found}
    assert {sign for sign in signs if rules.canonical_emoji(sign) != sign} == set()
    assert set(emoji_list.QUICK) <= signs


@pytest.mark.parametrize(
    ("sign", "group"),
    [
        ("😀", "smileys"),
        ("❤️", "smileys"),
        ("👍", "people"),
        ("🐕", "nature"),
        ("🍕", "food"),
        ("🚀", "travel"),
        ("⚽", "play"),
        ("🏆", "play"),
        ("💻", "things"),
        ("✅", "symbols"),
        ("🇨🇳", "flags"),
    ],
)
def test_one_finds_it_where_one_looks_for_it(sign, group):
    assert emoji_list.group_of(sign) == group


def test_no_skin_has_a_colour():
    signs = "".join(sign for found in emoji_list.grouped("en").values() for sign, _, _ in found)
    assert not emoji_list.SKIN_TONES & set(signs)


@pytest.mark.parametrize(
    ("language", "title", "dog"),
    [("en", "Animals and nature", ["🐕", "dog", "dog dog2"]), ("zh-hans", "动物和自然", ["🐕", "狗", "dog dog2"])],
)
def test_it_speaks_the_readers_language_and_is_kept_by_the_browser(language, title, dog):
    with translation.override(language):
        response = emoji_list.groups(RequestFactory().get("/emoji.json"))
        assert language.partition("-")[0] in emoji_list.version()
    nature = {first: rest for first, *rest in json.loads(response.content)}[title]
    assert dog in nature
    assert "immutable" in response.headers["Cache-Control"]
