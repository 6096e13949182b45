"""What an operator may write into the environment, and what they read when it makes no sense."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chatsite.environment import Environment, SettingRefused

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def given(tmp_path):
    return lambda **variables: Environment(variables, tmp_path)


def refusal(read) -> str:
    with pytest.raises(SettingRefused) as refused:
        read()
    line = str(refused.value)
    assert line.startswith("chatsite: ")
    assert "\n" not in line
    return line


@pytest.mark.parametrize("value", ["on", "true", "YES", "1", " on "])
def test_a_flag_is_on(given, value):
    assert given(DEBUG=value).flag("DEBUG", default=False) is True


@pytest.mark.parametrize("value", ["off", "False", "no", "0"])
def test_a_flag_is_off(given, value):
    assert given(DEBUG=value).flag("DEBUG", default=True) is False


def test_an_empty_value_counts_as_none(given):
    assert given(DEBUG="", PORT="  ").flag("DEBUG", default=True) is True
    assert given(PORT="  ").number("PORT", 8000, 1, 65535) == 8000


def test_a_flag_that_is_neither_is_refused(given):
    assert "DEBUG is 'maybe'" in refusal(lambda: given(DEBUG="maybe").flag("DEBUG", default=False))


@pytest.mark.parametrize("value", ["abc", "0", "65536", "-1", "80.5", "1e3", "٣", "9" * 5000])
def test_a_port_that_is_none_is_refused(given, value):
    refusal(lambda: given(PORT=value).number("PORT", 8000, 1, 65535))


def test_a_choice_names_what_there_is(given):
    assert given().choice("CHAT_SIGNUP", "open", "closed") == "open"
    assert given(CHAT_SIGNUP="Closed").choice("CHAT_SIGNUP", "open", "closed") == "closed"
    line = refusal(lambda: given(CHAT_SIGNUP="maybe").choice("CHAT_SIGNUP", "open", "closed"))
    assert line.endswith("it can be open or closed.")


@pytest.mark.parametrize(
    ("value", "scheme", "host", "url"),
    [
        ("https://chat.example.org", "https", "chat.example.org", "https://chat.example.org"),
        ("HTTPS://Chat.Example.org/", "https", "chat.example.org", "https://chat.example.org"),
        ("https://chat.example.org:443", "https", "chat.example.org", "https://chat.example.org"),
        ("http://192.168.1.5:8000", "http", "192.168.1.5", "http://192.168.1.5:8000"),
        ("http://[2001:db8::1]:8000", "http", "[2001:db8::1]", "http://[2001:db8::1]:8000"),
    ],
)
def test_a_public_url_becomes_a_whole_origin(given, value, scheme, host, url):
    assert given(PUBLIC_URL=value).origin("PUBLIC_URL") == (scheme, host, url)


@pytest.mark.parametrize(
    "value",
    [
        "chat.example.org",
        "ftp://chat.example.org",
        "https://",
        "https://chat.example.org/path",
        "https://chat.example.org?x=1",
        "https://user:secret@chat.example.org",
        "https://chat.example.org:port",
        "https://chat.example.org:99999",
        "https://*.example.org",
        "https://a.example.org,https://b.example.org",
        "https://[::1",
        "https://chät.example.org",
    ],
)
def test_a_public_url_that_is_no_origin_is_refused(given, value):
    refusal(lambda: given(PUBLIC_URL=value).origin("PUBLIC_URL"))


def test_without_a_database_url_there_is_a_file(given, tmp_path):
    database = given().database("DATABASE_URL", tmp_path / "chat.sqlite3")
    assert database == {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "chat.sqlite3")}


def test_a_database_url_is_taken_apart(given, tmp_path):
    url = "postgres://me:p%40ss@db:5433/chat?sslmode=require"
    database = given(DATABASE_URL=url).database("DATABASE_URL", tmp_path)
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert [database[part] for part in ("USER", "PASSWORD", "HOST", "PORT", "NAME")] == [
        *("me", "p@ss", "db", 5433, "chat")
    ]
    assert database["OPTIONS"] == {"sslmode": "require"}


@pytest.mark.parametrize(
    "value",
    ["mysql://me@db/chat", "postgres://db:99999/chat", "postgres://db", "sqlite://", "sqlite://:memory:", "chat"],
)
def test_a_database_url_that_makes_no_sense_is_refused(given, tmp_path, value):
    refusal(lambda: given(DATABASE_URL=value).database("DATABASE_URL", tmp_path))


def test_a_refused_url_is_not_shown_because_it_may_hold_a_password(given, tmp_path):
    database = given(DATABASE_URL="mysql://me:opensesame@db/chat")
    assert "opensesame" not in refusal(lambda: database.database("DATABASE_URL", tmp_path))
    redis = given(REDIS_URL="http://:opensesame@cache")
    assert "opensesame" not in refusal(lambda: redis.redis("REDIS_URL"))


@pytest.mark.parametrize("value", ["redis://cache:6379/0", "rediss://:secret@cache:6379", "unix:///run/redis.sock"])
def test_a_redis_url_is_taken_as_it_is(given, value):
    assert given(REDIS_URL=value).redis("REDIS_URL") == value


@pytest.mark.parametrize("value", ["cache:6379", "http://cache", "redis://cache:port"])
def test_a_redis_url_that_makes_no_sense_is_refused(given, value):
    refusal(lambda: given(REDIS_URL=value).redis("REDIS_URL"))


@pytest.mark.parametrize("value", ["chat.example.org", "::1", "127.0.0", "*"])
def test_a_host_that_is_no_address_is_refused(given, value):
    refusal(lambda: given(HOST=value).ipv4_address("HOST", "127.0.0.1"))


def test_an_administrator_needs_name_and_password(given):
    assert given().pair("ADMIN_NAME", "ADMIN_PASSWORD") is None
    assert given(ADMIN_NAME="ada", ADMIN_PASSWORD="pw").pair("ADMIN_NAME", "ADMIN_PASSWORD") == ("ada", "pw")
    assert "needs ADMIN_PASSWORD" in refusal(lambda: given(ADMIN_NAME="a").pair("ADMIN_NAME", "ADMIN_PASSWORD"))
    assert "needs ADMIN_NAME" in refusal(lambda: given(ADMIN_PASSWORD="p").pair("ADMIN_NAME", "ADMIN_PASSWORD"))


def test_a_folder_is_made_beside_the_project(given, tmp_path):
    assert given(DATA_DIR="some/where").folder("DATA_DIR", "var") == tmp_path / "some" / "where"
    assert (tmp_path / "some" / "where").is_dir()


def test_a_folder_that_cannot_be_made_is_refused(given, tmp_path):
    (tmp_path / "file").write_text("")
    refusal(lambda: given(DATA_DIR="file/inside").folder("DATA_DIR", "var"))


def test_the_secret_key_is_made_once_and_readable_by_its_owner_only(given, tmp_path):
    path = tmp_path / "secret_key"
    key = given().secret_key("SECRET_KEY", kept_in=path)
    assert len(key) > 50
    assert given().secret_key("SECRET_KEY", kept_in=path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_short_secret_key_is_refused(given, tmp_path):
    line = refusal(lambda: given(SECRET_KEY="secret").secret_key("SECRET_KEY", kept_in=tmp_path / "key"))
    assert "secret'" not in line


def settings_with(tmp_path, expression: str, **variables: str) -> str:
    env = {**os.environ, "DATA_DIR": str(tmp_path), **variables}
    code = f"from chatsite import settings; print(({expression}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, env=env, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip()


def test_a_laptop_is_reached_by_its_own_names_only(tmp_path):
    assert settings_with(tmp_path, "settings.ALLOWED_HOSTS, settings.CHAT_ORIGINS, settings.DEBUG") == (
        "(['localhost', '127.0.0.1', '[::1]', '127.0.0.1'], [], False)"
    )


def test_an_https_address_makes_cookies_secure(tmp_path):
    seen = settings_with(
        tmp_path,
        "settings.ALLOWED_HOSTS, settings.CHAT_ORIGINS, settings.SESSION_COOKIE_SECURE",
        PUBLIC_URL="https://chat.example.org",
    )
    assert seen == "(['chat.example.org'], ['https://chat.example.org'], True)"


def test_a_plain_address_leaves_cookies_plain(tmp_path):
    seen = settings_with(
        tmp_path,
        "settings.SESSION_COOKIE_SECURE, settings.SECURE_PROXY_SSL_HEADER",
        PUBLIC_URL="http://chat.local:8000",
    )
    assert seen == "(False, None)"


@pytest.mark.parametrize("command", ["check", "serve", "migrate", "help", "no_such_command"])
def test_every_command_ends_with_one_line(tmp_path, command):
    env = {**os.environ, "DATA_DIR": str(tmp_path), "PORT": "many"}
    arguments = [sys.executable, "manage.py", command]
    done = subprocess.run(arguments, cwd=PROJECT, env=env, capture_output=True, text=True)
    assert done.returncode != 0
    assert done.stdout == ""
    assert done.stderr == "chatsite: PORT is 'many'; it has to be a whole number from 1 to 65535.\n"
