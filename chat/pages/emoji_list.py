"""The emoji that people can choose from, in groups, with their names in the reader's language and in English."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import emoji
from django.http import HttpRequest, JsonResponse
from django.utils.translation import get_language, gettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.gzip import gzip_page

QUICK = ("👍", "❤️", "😂", "🎉", "👀", "✅")
IMMUTABLE_S = 365 * 24 * 3600
SKIN_TONES = frozenset("🏻🏼🏽🏾🏿")
FULLY_QUALIFIED = emoji.STATUS["fully_qualified"]
LAST = 0x10FFFF

# The groups that a keyboard has, by an emoji's first character: each group reaches up to the one that is named here.
# Unicode has groups in emoji-test.txt; no package carries them.
SMILEYS, PEOPLE, NATURE, FOOD = "smileys", "people", "nature", "food"
TRAVEL, PLAY, THINGS, SYMBOLS, FLAGS = "travel", "play", "things", "symbols", "flags"
TITLES = {
    SMILEYS: gettext_lazy("Smileys and hearts"),
    PEOPLE: gettext_lazy("People"),
    NATURE: gettext_lazy("Animals and nature"),
    FOOD: gettext_lazy("Food and drink"),
    TRAVEL: gettext_lazy("Places and travel"),
    PLAY: gettext_lazy("Activities"),
    THINGS: gettext_lazy("Things"),
    SYMBOLS: gettext_lazy("Signs"),
    FLAGS: gettext_lazy("Flags"),
}
UP_TO = (
    (0x2319, SYMBOLS), (0x231B, TRAVEL), (0x23E8, SYMBOLS), (0x23F3, TRAVEL), (0x25FE, SYMBOLS), (0x2604, NATURE),
    (0x2613, SYMBOLS), (0x2614, NATURE), (0x2615, FOOD), (0x2617, SYMBOLS), (0x2618, NATURE), (0x261D, PEOPLE),
    (0x2620, SMILEYS), (0x2638, SYMBOLS), (0x263A, SMILEYS), (0x2664, SYMBOLS), (0x2665, SMILEYS), (0x267F, SYMBOLS),
    (0x26A0, THINGS), (0x26A1, NATURE), (0x26BC, SYMBOLS), (0x26BE, PLAY), (0x26C8, NATURE), (0x26CE, SYMBOLS),
    (0x26E9, THINGS), (0x26FA, TRAVEL), (0x26FD, TRAVEL), (0x2702, THINGS), (0x2705, SYMBOLS), (0x2708, TRAVEL),
    (0x2709, THINGS), (0x270D, PEOPLE), (0x2712, THINGS), (0x2727, SYMBOLS), (0x2728, PLAY), (0x2743, SYMBOLS),
    (0x2744, NATURE), (0x2762, SYMBOLS), (0x2764, SMILEYS), (0x2B4F, SYMBOLS), (0x2B50, NATURE), (0x1F003, SYMBOLS),
    (0x1F004, PLAY), (0x1F0CF, PLAY), (0x1F1E5, SYMBOLS), (0x1F1FF, FLAGS), (0x1F2FF, SYMBOLS), (0x1F32C, NATURE),
    (0x1F32F, FOOD), (0x1F344, NATURE), (0x1F37F, FOOD), (0x1F381, PLAY), (0x1F382, FOOD), (0x1F384, PLAY),
    (0x1F385, PEOPLE), (0x1F3C1, PLAY), (0x1F3C4, PEOPLE), (0x1F3C6, PLAY), (0x1F3C7, PEOPLE), (0x1F3C9, PLAY),
    (0x1F3CC, PEOPLE), (0x1F3D3, PLAY), (0x1F3F2, TRAVEL), (0x1F3F4, FLAGS), (0x1F3FA, PLAY), (0x1F43F, NATURE),
    (0x1F450, PEOPLE), (0x1F463, THINGS), (0x1F478, PEOPLE), (0x1F47B, SMILEYS), (0x1F47C, PEOPLE), (0x1F480, SMILEYS),
    (0x1F483, PEOPLE), (0x1F484, THINGS), (0x1F487, PEOPLE), (0x1F48A, THINGS), (0x1F48F, SMILEYS), (0x1F490, NATURE),
    (0x1F491, PEOPLE), (0x1F492, TRAVEL), (0x1F49F, SMILEYS), (0x1F4A1, THINGS), (0x1F4A7, SMILEYS), (0x1F4A9, SMILEYS),
    (0x1F4AA, PEOPLE), (0x1F4AC, SMILEYS), (0x1F524, THINGS), (0x1F525, NATURE), (0x1F549, THINGS), (0x1F54A, NATURE),
    (0x1F54E, SYMBOLS), (0x1F567, TRAVEL), (0x1F573, THINGS), (0x1F575, PEOPLE), (0x1F577, NATURE), (0x1F579, THINGS),
    (0x1F57A, PEOPLE), (0x1F58F, THINGS), (0x1F596, PEOPLE), (0x1F5A3, THINGS), (0x1F5A4, SMILEYS), (0x1F5F9, THINGS),
    (0x1F5FF, TRAVEL), (0x1F644, SMILEYS), (0x1F647, PEOPLE), (0x1F64A, SMILEYS), (0x1F64F, PEOPLE), (0x1F6FF, TRAVEL),
    (0x1F90B, SYMBOLS), (0x1F90C, PEOPLE), (0x1F90E, SMILEYS), (0x1F90F, PEOPLE), (0x1F917, SMILEYS), (0x1F91F, PEOPLE),
    (0x1F925, SMILEYS), (0x1F926, PEOPLE), (0x1F92F, SMILEYS), (0x1F93E, PEOPLE), (0x1F94F, PLAY), (0x1F96F, FOOD),
    (0x1F976, SMILEYS), (0x1F977, PEOPLE), (0x1F97A, SMILEYS), (0x1F97F, THINGS), (0x1F9AE, NATURE), (0x1F9AF, THINGS),
    (0x1F9BB, PEOPLE), (0x1F9BF, THINGS), (0x1F9CB, FOOD), (0x1F9CC, PEOPLE), (0x1F9DF, PEOPLE), (0x1F9E0, THINGS),
    (0x1F9E1, SMILEYS), (0x1FA74, THINGS), (0x1FA77, SMILEYS), (0x1FAB0, THINGS), (0x1FAC2, NATURE), (0x1FAC6, PEOPLE),
    (0x1FACF, NATURE), (0x1FADF, FOOD), (0x1FAE8, SMILEYS), (0x1FAEF, SMILEYS), (0x1FAF8, PEOPLE), (LAST, THINGS),
)  # fmt: skip


@gzip_page
@cache_control(public=True, max_age=IMMUTABLE_S, immutable=True)
def groups(request: HttpRequest) -> JsonResponse:
    """All groups: [title, [emoji, name, other words that find it] …]. The address changes with what it says."""
    language = (get_language() or "en").partition("-")[0]
    return JsonResponse([[str(TITLES[group]), *found] for group, found in grouped(language).items()], safe=False)


def version() -> str:
    """What the list depends on: the package, and the language."""
    return f"{emoji.__version__}-{get_language()}"


@cache
def grouped(language: str) -> dict[str, list[tuple[str, str, str]]]:
    emoji.config.load_language(language if language in emoji.LANGUAGES else "en")
    found: dict[str, list[tuple[str, str, str]]] = {group: [] for group in TITLES}
    for sign in sorted(_offered(), key=_faces_first):
        names = emoji.EMOJI_DATA[sign]
        words = [_words(name) for name in (names["en"], *names.get("alias", ()))]
        name = _words(names[language]) if language in names else words[0]
        found[group_of(sign)].append((sign, name, " ".join(words)))
    return found


def group_of(sign: str) -> str:
    return next(group for last, group in UP_TO if ord(sign[0]) <= last)


def _faces_first(sign: str) -> tuple[bool, str]:
    return (not "😀" <= sign[0] <= "🙏", sign)


def _offered() -> Iterator[str]:
    """Each emoji once, in the form that Unicode recommends, without the colours of skin."""
    for sign, names in emoji.EMOJI_DATA.items():
        if names["status"] == FULLY_QUALIFIED and not SKIN_TONES & set(sign):
            yield sign


def _words(name: str) -> str:
    return name.strip(":").replace("_", " ")
