"""Django's sessions in the database, which know when they end; and the cookies that name them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
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
        """Whether it would end a day later, or more, if it was kept again now. One that was not read is not asked."""
        if self.ends_at is None:
            return False
        full = timedelta(seconds=self.get_expiry_age())
        return timezone.now() + full - self.ends_at > KEPT_AGAIN_AFTER


def session_key(cookies: Mapping[str, str]) -> str | None:
    """The session that a browser's cookies name. One with a NUL does not count: PostgreSQL refuses to look for it."""
    found = cookies.get(own_cookie_name()) or cookies.get(settings.SESSION_COOKIE_NAME)
    return found if found and "\0" not in found else None


def own_cookie_name() -> str:
    """The name that no other site on this host uses."""
    site = hashlib.sha256(settings.SECRET_KEY.encode()).hexdigest()[:8]
    return f"{settings.SESSION_COOKIE_NAME}_{site}"
