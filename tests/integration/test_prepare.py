"""`manage.py prepare`: what a site needs before its servers start."""

import pytest

ADMIN = {"ADMIN_NAME": "Ada", "ADMIN_PASSWORD": "correct horse battery"}
LOOK_AT_ADA = """
from accounts.models import User
ada = User.objects.by_name("ada")
print(ada.username, ada.is_superuser, ada.check_password("correct horse battery"))
"""


@pytest.fixture
def bare_site(start_site):
    """Prepared, without servers."""
    return lambda **settings: start_site(0, **settings)


def shell(site, code: str) -> str:
    return site.manage("shell", "--verbosity=0", "-c", code).strip()


def test_there_is_a_lobby(bare_site):
    site = bare_site()
    site.manage("prepare")
    assert shell(site, "from chat.models import Room; print(*Room.objects.values_list('slug'))") == "('lobby',)"


def test_doing_it_again_changes_nothing(bare_site):
    site = bare_site()
    shell(site, "from chat.models import Room; Room.objects.update(title='Hall')")
    assert site.manage("prepare") == ""
    assert shell(site, "from chat.models import Room; print(Room.objects.get().title)") == "Hall"


def test_the_first_administrator_may_sign_in(bare_site):
    site = bare_site(**ADMIN)
    assert site.manage("prepare") == ""
    assert shell(site, LOOK_AT_ADA) == "Ada True True"


def test_an_administrator_who_changed_the_password_keeps_it(bare_site):
    site = bare_site(**ADMIN)
    site.manage("prepare")
    shell(site, "from accounts.models import User; u = User.objects.get(); u.set_password('another one'); u.save()")
    assert site.manage("prepare") == ""
    assert shell(site, LOOK_AT_ADA) == "Ada True False"


def test_a_guest_does_not_become_administrator(bare_site):
    site = bare_site(**ADMIN)
    shell(site, "from accounts.models import User; User.objects.create_guest('ada')")
    assert site.manage("prepare") == (
        "ADMIN_NAME is the name of somebody without administrator's rights: not changed.\n"
    )
    assert shell(site, LOOK_AT_ADA) == "ada False False"


def test_migrations_have_no_time_limit(bare_site):
    site = bare_site()
    code = (
        "from django.core.management import call_command; from django.db import connection;"
        "call_command('migrate', verbosity=0); cursor = connection.cursor();"
        "postgresql = connection.vendor == 'postgresql';"
        "postgresql and cursor.execute('SHOW statement_timeout');"
        "print(cursor.fetchone()[0] if postgresql else '0')"
    )
    assert shell(site, code) == "0"


def test_a_missing_migration_is_noticed(bare_site):
    assert "No changes detected" in bare_site().manage("makemigrations", "--check", "--dry-run")
