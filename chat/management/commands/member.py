from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from chat.models import Membership, Room

NONE = "none"


class Command(BaseCommand):
    """Gives somebody a place in a room, changes it, or takes it away; open sockets follow within a second."""

    help = "Make NAME a member or moderator of ROOM, ban them from it, or take their place away"

    def add_arguments(self, parser):
        parser.add_argument("room", help="the room's address")
        parser.add_argument("name")
        parser.add_argument("role", choices=[*Membership.Role.values, NONE])

    def handle(self, *args, room, name, role, **options):
        place = self._place(room, name)
        if role == NONE:
            Membership.objects.filter(room=place.room, user=place.user).delete()
        else:
            place.role = role
            place.save()
        self.stdout.write(f"{place.user} in {place.room}: {role}")

    def _place(self, slug: str, name: str) -> Membership:
        try:
            room, user = Room.objects.get(slug=slug), User.objects.by_name(name)
        except Room.DoesNotExist:
            raise CommandError(f"There is no room {slug}.") from None
        except User.DoesNotExist:
            raise CommandError(f"There is no user {name}.") from None
        return Membership.objects.filter(room=room, user=user).first() or Membership(room=room, user=user)
