from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from chat.models import Room


class Command(BaseCommand):
    """Makes a room, or changes it."""

    help = "Make the room at ADDRESS, or change its title and who sees it"

    def add_arguments(self, parser):
        parser.add_argument("address", help="what its link ends in, such as team-lunch")
        parser.add_argument("--title", help="what people read (the address)")
        privacy = parser.add_mutually_exclusive_group()
        privacy.add_argument("--private", action="store_true", default=None, help="only members see that it exists")
        privacy.add_argument("--open", action="store_false", dest="private", help="everybody may come in")

    def handle(self, *args, address, title, private, **options):
        room = Room.objects.filter(slug=address).first() or Room(slug=address, title=title or address)
        room.title = title or room.title
        room.is_private = room.is_private if private is None else private
        try:
            room.full_clean()
        except ValidationError as problem:
            raise CommandError(" ".join(problem.messages)) from None
        room.save()
        self.stdout.write(f"{room.title} ({'private' if room.is_private else 'open'}) at /rooms/{room.slug}/")
