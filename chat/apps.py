from django.apps import AppConfig


class ChatConfig(AppConfig):
    """The chat: rooms, the people in them, and what they say."""

    name = "chat"
    default_auto_field = "django.db.models.BigAutoField"
