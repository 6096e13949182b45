"""`manage.py prepare`: what a site needs before its servers start."""

import sqlite3
import subprocess
import sys
from contextlib import closing

import psycopg
import pytest

from rig.client import ChatClient
from rig.site import PROJECT
from rig.staging import database_file

ADMIN = {"ADMIN_NAME": "Ada", "ADMIN_PASSWORD": "correct horse battery"}
LOOK_AT_ADA = """
from accounts.models import User
ada = User.objects.by_name("ada")
print(ada.username, ada.is_superuser, ada.check_password("correct horse battery"))
"""


COPIED = "The database is a copy of what it was: everybody loads the rooms afresh.\n"


@pytest.fixture
def bare_site(start_site):
    """Without servers; a copy of one that was prepared, but told so already."""

    def bare_site(**settings):
        site = start_site(0, **settings)
        shell(site, "from chat.models import Incarnation; Incarnation.objects.all().delete()")
        return site

    return bare_site


def epochs(site):
    return shell(site, "from chat.models import Room; print(*Room.objects.values_list('slug', 'epoch').order_by('pk'))")


def test_a_database_that_was_put_back_gets_new_epochs(start_site):
    """Everybody was told numbers that will be given out again. Each site of the tests is a copy of another."""
    site = start_site(0)
    before = epochs(site)
    assert site.manage("prepare") == COPIED
    after = epochs(site)
    assert after != before
    assert site.manage("prepare") == ""
    assert epochs(site) == after


# How a file is put back: each line runs in the folder of the database, where `backup` is its copy.
WAYS_BACK = {
    "into the old file": "cp backup/chatsite.sqlite3 .",
    "in its place": "rm chatsite.sqlite3 && cp backup/chatsite.sqlite3 .",
    "in its place, with its times": "rm chatsite.sqlite3 && cp -a backup/chatsite.sqlite3 .",
    "moved": "cp -a backup/chatsite.sqlite3 other && mv other chatsite.sqlite3",
    "with all that was copied": "cp -a backup/. .",
    "without the mark": "rm chatsite.sqlite3* && cp -a backup/chatsite.sqlite3 .",
}


@pytest.mark.one_database
@pytest.mark.parametrize("way_back", WAYS_BACK.values(), ids=WAYS_BACK)
def test_a_file_that_was_put_back_in_any_way_is_noticed(bare_site, way_back):
    site = bare_site()
    site.manage("prepare")
    in_its_folder(site, "mkdir backup && cp -a chatsite.sqlite3* backup")
    assert site.manage("prepare") == ""
    before = epochs(site)
    in_its_folder(site, f"rm -f chatsite.sqlite3-* && {way_back}")
    assert site.manage("prepare") == COPIED
    assert epochs(site) != before


@pytest.mark.one_database
async def test_what_was_copied_while_the_site_ran_is_noticed_too(bare_site):
    """It was prepared before the copy, and not again until the copy was put back: the end of the servers tells them."""
    site = bare_site()
    site.manage("prepare")
    site.add_process()
    async with ChatClient(f"{site.ws_urls[0]}?name=alice") as alice:
        await alice.join()
        with closing(sqlite3.connect(database_file(site))) as running:
            running.execute("VACUUM INTO ?", [str(database_file(site).with_name("copy"))])
    site.stop()
    in_its_folder(site, "rm -f chatsite.sqlite3-* && cp copy chatsite.sqlite3")
    assert site.manage("prepare") == COPIED


def test_a_site_that_was_started_without_being_prepared_hides_nothing_from_the_next_start(start_site):
    """Its processes renew the mark every minute, but not that of a database that does not fit."""
    site = start_site(0)
    shell(site, "from chat.rooms import restored; restored.renew_mark()")
    assert site.manage("prepare") == COPIED
    shell(site, "from chat.rooms import restored; restored.renew_mark()")
    assert site.manage("prepare") == ""


def in_its_folder(site, command):
    subprocess.run(command, shell=True, check=True, cwd=site.env["DATA_DIR"])


def test_a_copy_that_nobody_can_see_is_told_by_hand(bare_site):
    site = bare_site()
    before = epochs(site)
    assert site.manage("restored") == "1 rooms are loaded afresh\n"
    assert epochs(site) != before


def shell(site, code: str) -> str:
    return site.manage("shell", "--verbosity=0", "-c", code).strip()


def test_there_is_a_lobby(bare_site):
    site = bare_site()
    site.manage("prepare")
    assert shell(site, "from chat.models import Room; print(*Room.objects.values_list('slug'))") == "('lobby',)"


def test_several_that_start_together_on_a_new_database_all_succeed(new_database, tmp_path):
    """As the containers of one site do."""
    runs = [prepare(new_database | {"DATA_DIR": str(tmp_path / "data")}) for _ in range(3)]
    assert [(*run.communicate(timeout=120), run.returncode) for run in runs] == [("", "", 0)] * 3


def test_what_people_write_is_not_for_everybody_on_the_machine(new_database, tmp_path):
    prepare(new_database | {"DATA_DIR": str(tmp_path / "data")}).communicate(timeout=120)
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0
    assert [file.name for file in tmp_path.glob("*.sqlite3*") if file.stat().st_mode & 0o077] == []


@pytest.fixture
def new_database(bare_site, tmp_path):
    """The environment of a site whose database is empty."""
    env = dict(bare_site().env)
    if "DATABASE_URL" not in env:
        return env | {"DATABASE_URL": f"sqlite:///{tmp_path}/new.sqlite3"}
    with psycopg.connect(env["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return env


def prepare(env):
    command = [sys.executable, "manage.py", "prepare"]
    return subprocess.Popen(command, cwd=PROJECT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


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
