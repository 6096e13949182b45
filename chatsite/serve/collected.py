"""Static files are collected when they changed, not at every start."""

import hashlib
import os

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

FINGERPRINT = ".collected"


def collect_if_changed() -> None:
    path = settings.STATIC_ROOT / FINGERPRINT
    fingerprint = _fingerprint()
    if not (path.exists() and path.read_text() == fingerprint):
        call_command("collectstatic", interactive=False, verbosity=0)
        path.write_text(fingerprint)


def _fingerprint() -> str:
    """Of every file that would be collected: its name, size and time of change."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in sorted(finder.list([]), key=lambda found: found[0]):
            stat = os.stat(storage.path(name))
            digest.update(f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()
