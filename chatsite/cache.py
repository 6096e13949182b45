"""The cache of the limits of sign-in, in the database: where it cannot be written, it says so."""

from typing import Any

from django.core.cache.backends.db import DatabaseCache
from django.db import OperationalError


class LoudDatabaseCache(DatabaseCache):
    """Django's swallows every error of the database, and a lock that was never taken looks like a limit."""

    def add(self, key: str, value: Any, timeout: Any = None, version: int | None = None) -> bool:
        is_added = bool(super().add(key, value, timeout or self.default_timeout, version))
        if not is_added and not self.has_key(key, version):
            raise OperationalError("the cache in the database cannot be written")
        return is_added
