"""Django's sessions in the database, which know when they end: one that is used is kept on (`has_aged`)."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.utils import timezone

KEPT_AGAIN_AFTER = timedelta(days=1)


class SessionStore(DatabaseSessionStore):
    """`ends_at` is None for a session that is new."""

    ends_at = None

    @classmethod
    def get_model_class(cls):
        return DatabaseSessionStore.get_model_class()

    def _get_session_from_db(self):
        row = super()._get_session_from_db()  # type: ignore[misc]
        self.ends_at = row.expire_date if row is not None else None
        return row

    def has_aged(self) -> bool:
        """Whether it would end a day later, or more, if it was kept again now."""
        full = timedelta(seconds=self.get_expiry_age())
        return self.ends_at is not None and timezone.now() + full - self.ends_at > KEPT_AGAIN_AFTER
