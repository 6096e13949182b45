"""A text frame that comes alone and whole, as most do, is read without autobahn."""

FINAL_TEXT, MASKED, TWO_BYTES_OF_LENGTH = 0x81, 0x80, 126
SHORT_HEADER_BYTES = 6


def whole_text(data: bytes) -> bytes | None:
    """The text of one complete, masked text frame below 64 KiB (RFC 6455, 5.2); None: it is anything else."""
    if len(data) < SHORT_HEADER_BYTES or data[0] != FINAL_TEXT or not data[1] & MASKED:
        return None
    length, begin = data[1] & ~MASKED, SHORT_HEADER_BYTES
    if length == TWO_BYTES_OF_LENGTH:
        length, begin = int.from_bytes(data[2:4]), SHORT_HEADER_BYTES + 2
        if length < TWO_BYTES_OF_LENGTH:
            return None
    if len(data) != begin + length:
        return None
    text = _masked(data[begin:], data[begin - 4 : begin])
    return text if _is_utf8(text) else None


def _masked(payload: bytes, mask: bytes) -> bytes:
    length = len(payload)
    stretched = (mask * (length // 4 + 1))[:length]
    return (int.from_bytes(payload) ^ int.from_bytes(stretched)).to_bytes(length)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
