from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who somebody is: names, accounts, guests, sessions and tickets."""

    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
