from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_out


class ChatConfig(AppConfig):
    """The chat: rooms, the people in them, and what they say."""

    name = "chat"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from .models import access_notice
        from .pages import admin  # noqa: F401 (registers its pages)

        user_logged_out.connect(access_notice.note_logout)
