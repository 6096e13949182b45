"""What may be said: the rules of texts and reactions, asked by the ledger for every door."""

from __future__ import annotations

from functools import cache

from emoji import EMOJI_DATA

from accounts.text import is_visible
from chat import limits
from chat.wire.dialects import PostBinary
from chat.wire.events import Message
from chat.wire.refusals import Refusal
from chat.wire.verbs import Edit, Post, React, Verb

TOO_MANY_REACTIONS = ("forbidden", "This message has reached its reaction limit.")
EMOJI_SELECTOR = "\ufe0f"
TOO_MANY_OF_ONES_OWN = ("forbidden", "You have as many reactions here as one person can have.")
NO_TEXT_TO_EDIT = ("forbidden", "A binary message has no text to edit.")


def check(verb: Verb | PostBinary) -> None:
    """Raise a Refusal if the verb says something that may not be said anywhere."""
    match verb:
        case Post() | Edit():
            check_text(verb.text)
        case PostBinary():
            check_bytes(verb.data)
        case React():
            check_emoji(verb.emoji)


def check_text(text: str) -> None:
    if not is_visible(text):
        raise Refusal("empty", "The message has no text.")
    if len(text) > limits.TEXT_LIMIT_CHARACTERS:
        raise Refusal("too_long", f"A message has at most {limits.TEXT_LIMIT_CHARACTERS:,} characters.")


def check_bytes(data: bytes) -> None:
    if not data:
        raise Refusal("empty", "The message is empty.")


def check_emoji(text: str) -> None:
    if canonical_emoji(text) is None:
        raise Refusal("bad_frame", "A reaction is one emoji.")


def canonical_emoji(text: str) -> str | None:
    """The one form of an emoji, with the selectors that Unicode gives it; None for anything else."""
    plain = text.replace(EMOJI_SELECTOR, "")
    return _canonical().get(plain) if plain else None


@cache
def _canonical() -> dict[str, str]:
    """By the emoji without its selectors. Of several forms the fully qualified one is the longest."""
    return {form.replace(EMOJI_SELECTOR, ""): form for form in sorted(EMOJI_DATA, key=len)}


def check_may_be_edited(message: Message) -> None:
    if message.binary is not None:
        raise Refusal(*NO_TEXT_TO_EDIT)


def check_may_take_reaction(reactions: dict[str, list[str]], emoji: str, name: str) -> None:
    """`reactions`: those that the message has already. One person leaves room for others."""
    if sum(name in names for names in reactions.values()) >= limits.REACTIONS_PER_PERSON:
        raise Refusal(*TOO_MANY_OF_ONES_OWN)
    kinds, names = len({*reactions, emoji}), len(reactions.get(emoji, ()))
    if kinds > limits.REACTIONS_PER_MESSAGE or names >= limits.NAMES_PER_REACTION:
        raise Refusal(*TOO_MANY_REACTIONS)
