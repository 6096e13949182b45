"""What every text has to be, whoever sends it and whatever it is for. No Django, no I/O."""

import unicodedata

# Letters and signs that are drawn as nothing: fillers of Hangul, the blank of Braille.
BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def is_storable(text: str) -> bool:
    """No database keeps a NUL, and no socket sends a half of a surrogate pair."""
    return "\0" not in text and (text.isascii() or not _has_surrogate(text))


def is_visible(text: str) -> bool:
    """Whether there is anything to see: a letter, a sign, an emoji; not only spaces, marks and what has no width."""
    return any(_is_seen(character) for character in text)


def _is_seen(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNPS" and character not in BLANK_LETTERS


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
