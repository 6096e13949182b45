"""Reading the environment: one method per kind of value, one clear line when a value makes no sense."""

import ipaddress
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import environ
from redis.connection import parse_url

SECRET_KEY_CHARACTERS_MIN = 32

ON = {"on", "true", "yes", "1"}
OFF = {"off", "false", "no", "0"}


class StartRefused(SystemExit):
    """Ends the program with one line on stderr and exit code 1, whichever command was asked for."""

    def __init__(self, reason: str):
        super().__init__(f"chatsite: {reason}")


class SettingRefused(StartRefused):
    """A value that makes no sense."""

    def __init__(self, name: str, reason: str):
        super().__init__(f"{name} {reason}")


class Origin(NamedTuple):
    """The part of an address that a browser sends as Origin."""

    scheme: str
    host: str
    url: str


class Environment:
    """The settings as they were given. An empty value counts as not given."""

    def __init__(self, variables: Mapping[str, str], project_dir: Path):
        self._given = {name: value.strip() for name, value in variables.items() if value.strip()}
        self._project_dir = project_dir

    def flag(self, name: str, default: bool) -> bool:
        value = self._given.get(name, "on" if default else "off").lower()
        if value not in ON | OFF:
            raise SettingRefused(name, f"is {value!r}; it can be on or off.")
        return value in ON

    def number(self, name: str, default: int, least: int, most: int) -> int:
        value = self._given.get(name, str(default))
        if not (value.isascii() and value.isdigit() and len(value) < 10 and least <= int(value) <= most):
            raise SettingRefused(name, f"is {value!r}; it has to be a whole number from {least} to {most}.")
        return int(value)

    def choice(self, name: str, *choices: str) -> str:
        """The first choice is the default."""
        value = self._given.get(name, choices[0]).lower()
        if value not in choices:
            raise SettingRefused(name, f"is {value!r}; it can be {' or '.join(choices)}.")
        return value

    def pair(self, name: str, other: str) -> tuple[str, str] | None:
        """Two texts that make sense together only."""
        value, other_value = self._given.get(name), self._given.get(other)
        if value and not other_value:
            raise SettingRefused(name, f"needs {other} beside it.")
        if other_value and not value:
            raise SettingRefused(other, f"needs {name} beside it.")
        return (value, other_value) if value and other_value else None

    def ipv4_address(self, name: str, default: str) -> str:
        value = self._given.get(name, default)
        try:
            return str(ipaddress.IPv4Address("127.0.0.1" if value == "localhost" else value))
        except ValueError:
            raise SettingRefused(
                name,
                f"is {value!r}; it has to be an IPv4 address such as 127.0.0.1 or 0.0.0.0."
                " For IPv6 start the server processes yourself, with -b (docs/self-hosting.md).",
            ) from None

    def folder(self, name: str, default: str) -> Path:
        """Made when it is missing. A relative path starts at the project."""
        return made(name, self._project_dir / Path(self._given.get(name, default)).expanduser())

    def origin(self, name: str) -> Origin | None:
        """A scheme and a host, with a port where it is not the scheme's own."""
        value = self._given.get(name)
        if value is None:
            return None
        try:
            return _origin(value)
        except ValueError:
            raise SettingRefused(
                name, f"is {value!r}; it has to look like https://chat.example.org, without a path."
            ) from None

    def database(self, name: str, default: Path) -> dict[str, Any]:
        """NAME, HOST and the like as Django wants them; SQLite or PostgreSQL."""
        value = self._given.get(name)
        if value is None:
            return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(default)}
        try:
            config = _database(value)
        except ValueError:
            raise SettingRefused(
                name,
                "cannot be read; it has to look like postgres://user:password@host:5432/name"
                " or sqlite:////absolute/path.",
            ) from None
        if config["ENGINE"].endswith("sqlite3"):
            config["NAME"] = str(self._project_dir / config["NAME"])
        return config

    def redis(self, name: str) -> str | None:
        value = self._given.get(name)
        try:
            if value is not None:
                parse_url(value)
        except ValueError:
            raise SettingRefused(
                name, "cannot be read; it has to look like redis://host:6379/0 or unix:///path/to/socket."
            ) from None
        return value

    def secret_key(self, name: str, kept_in: Path) -> str:
        value = self._given.get(name) or _kept_secret(name, kept_in)
        if len(value) < SECRET_KEY_CHARACTERS_MIN:
            raise SettingRefused(name, f"is too short: at least {SECRET_KEY_CHARACTERS_MIN} characters.")
        return value


def made(name: str, path: Path) -> Path:
    """A folder that is there and can be written to."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingRefused(name, f"{str(path)!r} cannot be made: {error.strerror}.") from None
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise SettingRefused(name, f"{str(path)!r} cannot be written to.")
    return path


def _origin(value: str) -> Origin:
    parts = urlsplit(value.lower().removesuffix("/"))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(value)
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        raise ValueError(value)
    host = f"[{ipaddress.IPv6Address(parts.hostname)}]" if ":" in parts.hostname else parts.hostname
    if not host.isascii() or any(character in host for character in " \t*,_\"'<>\\"):
        raise ValueError(value)
    own_port = {"http": 80, "https": 443}[parts.scheme]
    port = "" if parts.port in (None, own_port) else f":{parts.port}"
    return Origin(parts.scheme, host, f"{parts.scheme}://{host}{port}")


def _database(value: str) -> dict[str, Any]:
    scheme, _, rest = value.partition("://")
    if scheme not in ("postgres", "postgresql", "sqlite") or not rest:
        raise ValueError(scheme)
    config: dict[str, Any] = environ.Env.db_url_config(value)
    if not config["NAME"] or config["NAME"] == ":memory:" or config["NAME"].endswith("/"):
        raise ValueError("no database name")
    # An option without a value takes away what would be given by default: `?options=` behind PgBouncer.
    blank = {key: value for key, value in parse_qsl(urlsplit(value).query, keep_blank_values=True) if not value}
    return config | {"OPTIONS": blank | config.get("OPTIONS", {})}


def _kept_secret(name: str, path: Path) -> str:
    """The key of this site, made on first use; of several processes starting at once, the first one's."""
    try:
        if not path.exists():
            _keep_secret(path, secrets.token_urlsafe(50))
        return path.read_text().strip()
    except OSError as error:
        raise SettingRefused(name, f"cannot be kept in {str(path)!r}: {error.strerror}.") from None


def _keep_secret(path: Path, secret: str) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    try:
        draft.write_text(secret + "\n")
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
