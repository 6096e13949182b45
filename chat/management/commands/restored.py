from django.core.management.base import BaseCommand

from chat.rooms.restored import renew_epochs


class Command(BaseCommand):
    help = "After a backup was put back: open pages and programs load their rooms afresh"

    def handle(self, *args, **options):
        self.stdout.write(f"{renew_epochs()} rooms are loaded afresh")
