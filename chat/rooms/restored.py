"""A database that was put back from a backup: what clients saw since then is gone, and the same numbers come again.

Beside SQLite's file is a mark: a random string, in a file of its own. The database remembers which string, and when the
file was written as the file system counts it (`st_ctime`, which no copy keeps). Each start renews both, every minute of
a running site does, and so does its end: an older database remembers another string, and a copy of the whole folder
another time. PostgreSQL's tables have numbers of their own, which a restored dump does not have.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.db import OperationalError, connection, transaction

from chat.models import Incarnation, Room, new_epoch

OIDS = "SELECT oid, 'chat_room'::regclass::oid FROM pg_database WHERE datname = current_database()"


def renew_epochs() -> int:
    """Have every client load its rooms afresh; returns how many rooms there are."""
    return Room.objects.update(epoch=new_epoch())


@transaction.atomic
def notice_copy() -> bool:
    """Renew the epochs if this is not the database of the last time; say whether that was so.

    A snapshot of a whole disk cannot be told from what it was: `manage.py restored` is for that. A database that was
    only moved is taken for restored, which costs each client one page for each room.
    """
    known = Incarnation.objects.filter(pk=1).first()
    is_copy = known is not None and known.identity != _identity()
    if is_copy:
        renew_epochs()
    Incarnation.objects.update_or_create(pk=1, defaults={"identity": _new_identity()})
    return is_copy


def renew_mark() -> None:
    """A copy that was made before does not fit any more. A database that did not fit waits for the next start."""
    if connection.vendor == "sqlite":
        with transaction.atomic():
            if Incarnation.objects.filter(pk=1, identity=_identity()).exists():
                Incarnation.objects.filter(pk=1).update(identity=_new_identity())


def _identity() -> str:
    """What the database should remember. It is read, and renewed, under the database's lock for writing."""
    if connection.vendor == "sqlite":
        return _marked_as(_mark())
    with connection.cursor() as cursor:
        cursor.execute(OIDS)
        return "{}.{}".format(*cursor.fetchone())


def _new_identity() -> str:
    if connection.vendor == "sqlite":
        _write(_mark())
    return _identity()


def _write(mark: Path) -> None:
    """The mark is a part of the database: a full disk is the database's trouble. Raises OperationalError."""
    draft = mark.with_name(f"{mark.name}.{os.getpid()}")
    try:
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(8))
        draft.replace(mark)
    except OSError as problem:
        draft.unlink(missing_ok=True)
        raise OperationalError(f"its mark cannot be written: {problem}") from problem


def _mark() -> Path:
    return Path(f"{connection.settings_dict['NAME']}.mark")


def _marked_as(mark: Path) -> str:
    try:
        return f"{mark.read_text()[:32]}.{mark.stat().st_ctime_ns}"
    except (OSError, ValueError):
        return "no mark"
