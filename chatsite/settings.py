"""Everything an operator can set comes from the environment, with a default that works on a laptop."""

import hashlib
import os
from pathlib import Path

from .environment import Environment, made

BASE_DIR = Path(__file__).resolve().parent.parent

environment = Environment(os.environ, BASE_DIR)

# Where the site runs

DEBUG = environment.flag("DEBUG", default=False)
DATA_DIR = environment.folder("DATA_DIR", default="var")
SECRET_KEY = environment.secret_key("SECRET_KEY", kept_in=DATA_DIR / "secret_key")
HOST = environment.ipv4_address("HOST", default="127.0.0.1")
PORT = environment.number("PORT", default=8000, least=1, most=65535)
WEB_PROCESSES = environment.number("WEB_PROCESSES", default=2, least=1, most=64)

FIRST_ADMIN_PASSWORD = environment.pair("ADMIN_NAME", "ADMIN_PASSWORD")

# Who may come in, and how much they may do

CHAT_GUESTS = environment.flag("CHAT_GUESTS", default=True)
CHAT_SIGNUP = environment.choice("CHAT_SIGNUP", "open", "closed")
CHAT_CONNECTIONS_PER_NAME = environment.number("CHAT_CONNECTIONS_PER_NAME", default=50, least=1, most=1000)
CHAT_NEW_NAMES = environment.number("CHAT_NEW_NAMES", default=60, least=0, most=100_000)
CHAT_POSTS_PER_S = environment.number("CHAT_POSTS_PER_S", default=5, least=0, most=100_000)

# The address people type. The site speaks plain HTTP, so an https address means that a proxy stands in front.

PUBLIC_URL = environment.origin("PUBLIC_URL")
BEHIND_TLS = PUBLIC_URL is not None and PUBLIC_URL.scheme == "https"
CHAT_ORIGINS = [PUBLIC_URL.url] if PUBLIC_URL else []
ALLOWED_HOSTS = [PUBLIC_URL.host] if PUBLIC_URL else ["localhost", "127.0.0.1", "[::1]", HOST]
CSRF_TRUSTED_ORIGINS = CHAT_ORIGINS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = BEHIND_TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS else None
CSRF_FAILURE_VIEW = "chatsite.trouble.csrf_failed"

# What it is made of

INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "accounts",
    "chat",
    "allauth",
    "allauth.account",
]

MIDDLEWARE = [
    "chatsite.middleware.answering_probes",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "chatsite.middleware.SiteSessionMiddleware",
    "chatsite.middleware.without_traditional_chinese",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "chatsite.middleware.with_moving_session",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "chatsite.urls"
ASGI_APPLICATION = "chatsite.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Database

SQLITE_OPTIONS = {
    "timeout": 5,
    "transaction_mode": "IMMEDIATE",
    # FULL: an acknowledged message survives a power cut too, for one fsync per batch.
    "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;",
}

POSTGRESQL_OPTIONS = {
    "connect_timeout": 3,
    "tcp_user_timeout": 10_000,
    "options": "-c statement_timeout=10s -c lock_timeout=10s",
    # Per process: about six connections for the chat's own threads, the others for pages.
    # The pool doubles its waits for a server that is away, up to `reconnect_timeout`: the site is back when it is.
    "pool": {"min_size": 1, "max_size": 16, "timeout": 4, "reconnect_timeout": 2},
}

DATABASES = {"default": environment.database("DATABASE_URL", default=DATA_DIR / "chatsite.sqlite3")}
ON_SQLITE = DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"
DATABASE_OPTIONS = SQLITE_OPTIONS if ON_SQLITE else POSTGRESQL_OPTIONS
DATABASES["default"] |= {
    "CONN_MAX_AGE": 0,
    "CONN_HEALTH_CHECKS": True,
    "DISABLE_SERVER_SIDE_CURSORS": True,  # a page of messages is one round trip
    "OPTIONS": DATABASE_OPTIONS | DATABASES["default"].get("OPTIONS", {}),
    "TEST": {"NAME": str(DATA_DIR / "test.sqlite3")} if ON_SQLITE else {},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "chatsite.cache.LoudDatabaseCache",
        "LOCATION": "chatsite_cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    },
}

# Redis, the courier between the processes

REDIS_URL = environment.redis("REDIS_URL")
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "chatsite.server.courier.layer",
        "CONFIG": {
            "hosts": [{"address": REDIS_URL, "socket_connect_timeout": 3}],
            # Several sites may share a Redis: pub/sub knows no database numbers.
            "prefix": f"chatsite-{hashlib.sha256(SECRET_KEY.encode()).hexdigest()[:8]}",
        },
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"},
}

# Accounts

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "accounts.forms.LengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "home"
SESSION_ENGINE = "accounts.session_store"
SESSION_COOKIE_AGE = 30 * 24 * 3600  # without being used

ACCOUNT_ADAPTER = "accounts.allauth_adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.LoginForm",
    "signup": "accounts.forms.SignupForm",
    "change_password": "accounts.forms.ChangePasswordForm",
}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
# By address; an office is one address. Wrong passwords also by name and address: nobody locks somebody else out.
ACCOUNT_RATE_LIMITS = {"enter": "300/m/ip", "enter_from_behind": "60/m/ip", "login_failed": "30/m/ip,5/5m/key"}

# Languages

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

# Static files: hashed copies where they were collected, straight from the apps where they were not

STATIC_URL = "static/"
STATIC_ROOT = made("DATA_DIR", DATA_DIR / "static")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "chatsite.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True

# Logs

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"sparing": {"()": "chatsite.logs.Sparing"}, "trouble": {"()": "chatsite.logs.TroubleInOneLine"}},
    "formatters": {"line": {"()": "chatsite.logs.LineFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["trouble"]}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "daphne": {"level": "WARNING"},
        # A lost Redis is told by chat.link, a lost database by chat.database, in one line each.
        "channels_redis.pubsub": {"filters": ["sparing"]},
        "psycopg.pool": {"level": "ERROR"},
    },
}
