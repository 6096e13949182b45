"""A database that was put back from a backup: what clients saw since then is gone, and the same numbers come again."""

from __future__ import annotations

from pathlib import Path

from django.db import connection, transaction

from chat.models import Incarnation, Room, new_epoch

OIDS = "SELECT oid, 'chat_room'::regclass::oid FROM pg_database WHERE datname = current_database()"


def renew_epochs() -> int:
    """Have every client load its rooms afresh; returns how many rooms there are."""
    return Room.objects.update(epoch=new_epoch())


@transaction.atomic
def notice_copy() -> bool:
    """Renew the epochs if this is not the file, or not the tables, of the last time; say whether that was so.

    A copy that took the place of the old file within itself cannot be told from it: `manage.py restored` is for that.
    A database that was only moved is taken for restored, which costs each client one page for each room.
    """
    identity = _identity()
    known, is_new = Incarnation.objects.get_or_create(pk=1, defaults={"identity": identity})
    if is_new or known.identity == identity:
        return False
    renew_epochs()
    known.identity = identity
    known.save()
    return True


def _identity() -> str:
    if connection.vendor == "sqlite":
        return str(Path(connection.settings_dict["NAME"]).stat().st_ino)
    with connection.cursor() as cursor:
        cursor.execute(OIDS)
        return "{}.{}".format(*cursor.fetchone())
