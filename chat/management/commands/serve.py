from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection

from chatsite.serve import preflight, processes, valkey


class Command(BaseCommand):
    """Prepares the site and runs it until Ctrl-C or SIGTERM."""

    help = "Prepares the site and runs it until Ctrl-C or SIGTERM."

    def handle(self, *args, **options):
        preflight.check()
        call_command("prepare")
        let_go_of_the_database()
        valkey_binary = None if settings.REDIS_URL else valkey.find_binary()
        count = settings.WEB_PROCESSES
        if not (settings.REDIS_URL or valkey_binary):
            count = 1
            self.stdout.write("No Redis: one process only. Give REDIS_URL or install Valkey to have more.")
        with processes.running(count, valkey_binary) as site:
            site.wait_until_ready()
            self._announce(count)
            site.wait()

    def _announce(self, count: int) -> None:
        process_word = "process" if count == 1 else "processes"
        self.stdout.write(f"Chatsite is at {address()} ({count} {process_word}). Ctrl-C stops it.")
        if settings.HOST == "0.0.0.0" and not settings.PUBLIC_URL:  # noqa: S104
            self.stdout.write("Other machines are refused until PUBLIC_URL is the address they use.")
        self.stdout.flush()


def let_go_of_the_database() -> None:
    """From here on this process only waits."""
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()  # type: ignore[attr-defined]


def address() -> str:
    if settings.PUBLIC_URL:
        return f"{settings.PUBLIC_URL.url}/"
    is_local = settings.HOST in ("127.0.0.1", "0.0.0.0")  # noqa: S104
    return f"http://{'localhost' if is_local else settings.HOST}:{settings.PORT}/"
