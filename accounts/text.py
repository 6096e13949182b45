"""What every text has to be, whoever sends it and whatever it is for. No Django, no I/O."""


def is_storable(text: str) -> bool:
    """No database keeps a NUL, and no socket sends a half of a surrogate pair."""
    return "\0" not in text and (text.isascii() or not _has_surrogate(text))


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
