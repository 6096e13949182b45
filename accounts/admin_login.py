"""The door of the admin has the lock of the main one: names in any spelling, and a limit to wrong passwords."""

from typing import Any

from allauth.account.adapter import get_adapter
from django.contrib.admin.forms import AdminAuthenticationForm

from . import names


class LimitedAdminLoginForm(AdminAuthenticationForm):
    """Django's form for its admin; whether the password is right is found out as everywhere else."""

    def clean(self) -> dict[str, Any]:
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if name and password:
            credentials = {"username": names.key(name), "password": password}
            self.user_cache = get_adapter(self.request).authenticate(self.request, **credentials)
            if self.user_cache is None:
                raise self.get_invalid_login_error()
            self.confirm_login_allowed(self.user_cache)
        return self.cleaned_data
