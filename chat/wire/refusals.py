"""What cannot be done, and what cannot be read: each becomes one `error` frame."""

from __future__ import annotations


class Refusal(Exception):
    """A request that cannot be done; becomes one `error` frame."""

    def __init__(self, code: str, message: str, retry_after: float | None = None):
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after = retry_after


class BrokenFrame(Refusal):
    """A line that is not a verb. `id` is what could be made out of it."""

    def __init__(self, code: str, message: str, id: str | int | None = None):
        super().__init__(code, message)
        self.id = id


NO_SUCH_ROOM = ("not_found", "There is no such room.")
BANNED = ("forbidden", "You are banned from this room.")
NO_SUCH_MESSAGE = ("not_found", "There is no such message.")
