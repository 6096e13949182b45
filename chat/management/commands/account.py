from django.core.management.base import BaseCommand, CommandError

from accounts.models import User


class Command(BaseCommand):
    """Disables an account or enables it again; open sockets follow within a second."""

    help = "Disable or enable the account NAME"

    def add_arguments(self, parser):
        parser.add_argument("name")
        parser.add_argument("state", choices=["disabled", "enabled"])

    def handle(self, *args, name, state, **options):
        try:
            user = User.objects.by_name(name)
        except User.DoesNotExist:
            raise CommandError(f"There is no user {name}.") from None
        user.is_active = state == "enabled"
        user.save()
        self.stdout.write(f"{user}: {state}")
