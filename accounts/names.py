"""The rules of a name: who may be called what, and when two names are the same."""

import secrets
import unicodedata
from itertools import pairwise

from . import lookalikes

LENGTH_LIMIT = 32
INSIDE = "_.-"
# Modifiers that words are written with; the others look like punctuation.
LETTERS_ALL_THE_SAME = frozenset("\u3005\u3031\u303b\u309d\u309e\u30fc\u30fd\u30fe\u0e46\u0ec6\u02bb\u02bc")
# Letters and marks that nobody sees: fillers and variation selectors.
INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")
INVISIBLE |= {chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))}


class BadName(ValueError):
    """The name breaks a rule; the argument says which, in a sentence for people."""


def check(name: str) -> str:
    """Return the name in its normal form (NFKC), or raise BadName."""
    normal = unicodedata.normalize("NFKC", name).strip()
    if not 1 <= len(normal) <= LENGTH_LIMIT:
        raise BadName(f"Names can be up to {LENGTH_LIMIT} characters.")
    if not all(_is_word(character) or character in INSIDE for character in normal):
        raise BadName("Use letters, digits, and . _ - (no spaces).")
    if lookalikes.mixes_alphabets(normal):
        raise BadName("A name keeps to one alphabet.")
    if _has_loose_marks(normal):
        raise BadName("Use letters, digits, and . _ - (no spaces).")
    if normal[0] in INSIDE or normal[-1] in INSIDE or unicodedata.category(normal[0]).startswith("M"):
        raise BadName("Names must start and end with a letter or a digit.")
    return normal


def key(name: str) -> str:
    """Two names with the same key are the same name."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFKC", folded)


def for_nobody(length: int) -> str:
    """A name for somebody who gave none, with so many random characters."""
    return f"guest-{secrets.token_hex(length)[:length]}"


def _is_word(character: str) -> bool:
    """Letters, the marks that complete them in some scripts, and decimal digits.

    Format characters (zero width, bidirectional) and controls are in the C and Z categories, so they fall out.
    """
    category = unicodedata.category(character)
    if category == "Lm":
        return character in LETTERS_ALL_THE_SAME
    return (category[0] in "LM" or category == "Nd") and character not in INVISIBLE


def _has_loose_marks(name: str) -> bool:
    """A mark that no letter of these alphabets has: what can be composed has been, the rest only decorates."""
    decorated = any(_is_mark(mark) and lookalikes.alphabets(letter) for letter, mark in pairwise(name))
    return decorated or any(all(map(_is_mark, name[start : start + 3])) for start in range(len(name) - 2))


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) == "Mn"
