"""The order in which people look for titles: whatever the case and the accents, and 2 before 10."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django.db import models

NUMBER = re.compile(r"[0-9]+")
MARK = "Mn"
# A title's parts that count first are told from those that only break a tie.
TIE = "\0"


def sort_key(title: str) -> bytes:
    """Bytes that come in the order of their titles. Bytes, because no two databases order text alike."""
    plain = unicodedata.normalize("NFKD", title).casefold()
    letters = "".join(character for character in plain if unicodedata.category(character) != MARK)
    return f"{NUMBER.sub(_by_size, letters)}{TIE}{title}".encode(errors="replace")


def _by_size(number: re.Match[str]) -> str:
    """A longer number is a greater one; zeros before it count for nothing."""
    digits = number[0].lstrip("0") or "0"
    return f"{len(digits):02}{digits}"


class SortKeyField(models.BinaryField):
    """The key of the row's title, computed whenever the row is written."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"editable": False, "db_default": b"", **options})

    def pre_save(self, row: Any, add: bool) -> bytes:
        key = sort_key(row.title)
        setattr(row, self.attname, key)
        return key
