"""What may be said: the rules of texts and reactions, asked by the ledger for every door."""

from __future__ import annotations

from chat import limits
from chat.wire.dialects import PostBinary
from chat.wire.events import Message
from chat.wire.refusals import Refusal
from chat.wire.verbs import Edit, Post, React, Verb

TOO_MANY_REACTIONS = ("forbidden", "This message has reached its reaction limit.")
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
    if not text.strip():
        raise Refusal("empty", "The message is empty.")
    if len(text) > limits.TEXT_LIMIT_CHARACTERS:
        raise Refusal("too_long", f"A message has at most {limits.TEXT_LIMIT_CHARACTERS:,} characters.")


def check_bytes(data: bytes) -> None:
    if not data:
        raise Refusal("empty", "The message is empty.")


def check_emoji(emoji: str) -> None:
    if any(character.isspace() for character in emoji):
        raise Refusal("bad_frame", "A reaction is one emoji.")


def check_may_be_edited(message: Message) -> None:
    if message.binary is not None:
        raise Refusal(*NO_TEXT_TO_EDIT)


def check_may_take_reaction(reactions: dict[str, list[str]], emoji: str) -> None:
    """`reactions`: those that the message has already."""
    kinds, names = len({*reactions, emoji}), len(reactions.get(emoji, ()))
    if kinds > limits.REACTIONS_PER_MESSAGE or names >= limits.NAMES_PER_REACTION:
        raise Refusal(*TOO_MANY_REACTIONS)
