from django.core.management.commands import migrate
from django.db import connections


class Command(migrate.Command):
    """Django's own, without the site's time limit on statements: a big table takes as long as it takes."""

    def handle(self, *args, **options):
        connection = connections[options["database"]]
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET statement_timeout = 0")
        super().handle(*args, **options)
