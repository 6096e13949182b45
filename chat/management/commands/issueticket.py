from django.core.management.base import BaseCommand, CommandError

from accounts import tickets
from accounts.models import User

DAY_S = 24 * 3600
DAYS_LIMIT = 36_500


class Command(BaseCommand):
    """Prints a ticket: what a program connects with instead of a cookie."""

    help = "Print a ticket that admits NAME: wss://…/ws/?ticket=…"

    def add_arguments(self, parser):
        parser.add_argument("name")
        parser.add_argument("--days", type=float, default=1, help="how long it is good for (1)")

    def handle(self, *args, name, days, **options):
        try:
            user = User.objects.by_name(name)
        except User.DoesNotExist:
            raise CommandError(f"There is no user {name}.") from None
        if not 0 < days <= DAYS_LIMIT:
            raise CommandError(f"A ticket is good for more than 0 and at most {DAYS_LIMIT:,} days.")
        self.stdout.write(tickets.issue_ticket(user, lifetime_s=days * DAY_S))
