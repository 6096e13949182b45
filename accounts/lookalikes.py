"""Which names look like each other, and which belong to the house. No Django, no I/O.

After Unicode's confusables (UTS #39), cut down to what a name may have: letters of Cyrillic, Greek and Latin that are
drawn as other letters, and digits of every script. A whole table would find likenesses that nobody sees.
"""

import unicodedata

# Drawn as the letter below them in the fonts that people have.
DRAWN_AS = str.maketrans(
    "аӑӓɑαсϲԁеһіɩıιїјӏοоσрρԛѕѵνԝхχуүγɡкκпԍАΑВΒСϹЕΕНΗІΙӀЈКΚМΜΝОΟРΡЅТΤХΧУΥҮΖԌI01Ɩɪʏ",
    "aaaaaccdehiiiiijloooppqsvvwxxyyygkkngAABBCCEEHHlllJKKMMNOOPPSTTXXYYYZGlolliy",
)

# These with a number too (admin2), the others as they stand.
SPEAK_FOR_THE_HOUSE = "admin administrator root system moderator chatsite 管理员 系统 版主 站长 客服 官方"
MEAN_MANY = "everyone everybody all here channel owner staff support 所有人 全体成员"


def look(name: str) -> str:
    """Two names with the same look are not told apart at a glance."""
    plain = "".join(map(_plain, unicodedata.normalize("NFKC", name)))
    return unicodedata.normalize("NFKC", plain.translate(DRAWN_AS).casefold()).translate(DRAWN_AS).replace("_", "-")


def _plain(character: str) -> str:
    """Digits of every script are digits."""
    return str(unicodedata.digit(character)) if unicodedata.category(character) == "Nd" else character


def is_reserved(name: str) -> bool:
    """Whether the name speaks for the house, or means many: admin, 管理员, everyone, and what looks like them."""
    return _told_apart(name) in _MANY or _told_apart(name.strip("._-0123456789")) in _HOUSE


def _told_apart(name: str) -> str:
    """Small and capital I and l are all the same here."""
    return look(name).replace("i", "l")


_HOUSE = frozenset(map(_told_apart, SPEAK_FOR_THE_HOUSE.split()))
_MANY = frozenset(map(_told_apart, MEAN_MANY.split()))


def mixes_alphabets(name: str) -> bool:
    """Whether letters of Latin, Cyrillic and Greek stand in one name, as they do in names that deceive."""
    return len(alphabets(name)) > 1


def alphabets(name: str) -> set[str]:
    letters = (unicodedata.name(character, "").split(" ")[0] for character in name if character.isalpha())
    return {"LATIN", "CYRILLIC", "GREEK"}.intersection(letters)
