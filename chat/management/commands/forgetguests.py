from django.core.management.base import BaseCommand

from chat.rooms.unused_guests import forget_unused_guests


class Command(BaseCommand):
    help = (
        "Take away guests who wrote nothing and have not been here for long; the servers do it too, little by little."
    )

    def handle(self, *args, **options):
        count = 0
        while gone := forget_unused_guests():
            count += gone
        self.stdout.write(f"{count} guests forgotten")
