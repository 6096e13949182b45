from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection

from accounts import names
from chat import database
from chat.models import Room
from chat.rooms.restored import notice_copy
from chatsite.environment import SettingRefused, StartRefused
from chatsite.serve import collected, preflight

FIRST_ROOM = "lobby"


class Command(BaseCommand):
    """Everything a site needs before its servers start. Doing it again changes nothing."""

    help = "Migrates, makes sure of the cache table, the first room and the first administrator, collects files."

    def handle(self, *args, **options):
        try:
            make_private_file()
            with database.exclusive():
                self._prepare()
        except (DatabaseError, OSError) as error:
            if options["traceback"]:
                raise
            reason = preflight.first_line(error)
            raise StartRefused(f"cannot be prepared: {reason} (manage.py prepare --traceback says where)") from None

    def _prepare(self) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        Room.objects.get_or_create(slug=FIRST_ROOM, defaults={"title": FIRST_ROOM.capitalize()})
        Room.objects.filter(slug=FIRST_ROOM).update(slug=FIRST_ROOM)  # refused where nothing can be written
        if notice_copy():
            self.stdout.write("The database is a copy of what it was: everybody loads the rooms afresh.")
        if settings.FIRST_ADMIN_PASSWORD and not make_first_admin(*settings.FIRST_ADMIN_PASSWORD):
            self.stdout.write("ADMIN_NAME is the name of somebody without administrator's rights: not changed.")
        collected.collect_if_changed()


def make_private_file() -> None:
    """SQLite would make it readable for everybody on the machine; its other files get the same rights as this one."""
    if settings.ON_SQLITE:
        Path(connection.settings_dict["NAME"]).touch(mode=0o600)


def make_first_admin(name: str, password: str) -> bool:
    """Made once: whoever has the name keeps password and rights. Says whether they are an administrator."""
    people = get_user_model().objects
    try:
        name = names.check(name)
    except names.BadName as error:
        raise SettingRefused("ADMIN_NAME", f"is refused: {error}") from None
    somebody = people.filter(name_key=names.key(name)).first()
    if somebody:
        return somebody.is_superuser
    try:
        validate_password(password)
    except ValidationError as error:
        raise SettingRefused("ADMIN_PASSWORD", f"is refused: {' '.join(error.messages)}") from None
    people.create_superuser(name, password=password)
    return True
