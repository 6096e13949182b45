"""What has to be right before anything is started. Each fault is one line that says what to change."""

import errno
import os
import socket

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from chatsite.environment import StartRefused


def check() -> None:
    check_port()
    check_database()
    if settings.REDIS_URL:
        check_redis(settings.REDIS_URL)


def check_port() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.HOST, settings.PORT))
            probe.listen()
        except OSError as error:
            raise StartRefused(_why_not_listening(error)) from None


def check_database() -> None:
    """Asks for a write lock, outside the pool: a pool would only say that it waited."""
    probe = connection.copy()
    probe.settings_dict["OPTIONS"].pop("pool", None)
    try:
        probe.ensure_connection()
        probe.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        probe.rollback()
        check_encoding(probe)
    except DatabaseError as error:
        raise StartRefused(f"the database cannot be used: {first_line(error)}{_advice(error)}") from None
    finally:
        probe.close()


def check_encoding(probe: BaseDatabaseWrapper) -> None:
    """People write in every script: a database of another encoding would refuse what they say, or garble it."""
    if probe.vendor != "postgresql":
        return
    with probe.cursor() as cursor:
        cursor.execute("SHOW server_encoding")
        (encoding,) = cursor.fetchone()
    if encoding != "UTF8":
        raise StartRefused(
            f"the database cannot be used: its encoding is {encoding}; make one with CREATE DATABASE … ENCODING 'UTF8'"
            " TEMPLATE template0."
        )


def _advice(error: Exception) -> str:
    if "unsupported startup parameter" not in str(error):
        return ""
    return (
        "; PgBouncer takes no options: add ?options= to DATABASE_URL, and give the time limits to the database's user"
        " (docs/self-hosting.md)"
    )


def check_redis(url: str) -> None:
    """Does what the layer does, on a channel as the layer uses them: a user may lack the right to one of these."""
    client = redis.Redis.from_url(url, socket_connect_timeout=3, socket_timeout=3)
    prefix: str = settings.CHANNEL_LAYERS["default"]["CONFIG"]["prefix"]  # type: ignore[index]
    try:
        client.ping()
        _publish_and_receive(client, f"{prefix}__group__preflight.{os.getpid()}")
        _go_unanswered(client)
    except redis.exceptions.NoPermissionError as error:
        raise StartRefused(
            f"Redis (REDIS_URL) gives its user too few rights: {first_line(error)}; what it needs is"
            f" ACL SETUSER … &{prefix}* +subscribe +unsubscribe +publish +ping +client."
        ) from None
    except redis.RedisError as error:
        raise StartRefused(f"Redis (REDIS_URL) cannot be reached: {first_line(error)}") from None
    finally:
        client.close()


def _publish_and_receive(client: redis.Redis, channel: str) -> None:
    with client.pubsub() as subscriber:
        subscriber.subscribe(channel)
        while (message := subscriber.get_message(timeout=3)) is not None:
            if message["type"] == "subscribe":
                client.publish(channel, "hello")
            if message["type"] == "message":
                subscriber.unsubscribe(channel)
            if message["type"] == "unsubscribe":
                return
    raise redis.exceptions.TimeoutError("what is published is not heard")


def _go_unanswered(client: redis.Redis) -> None:
    """As the layer's connection for publishing. Of OFF and ON, ON alone is answered, unless OFF was refused.

    A Redis that does not know it will do: the layer waits for answers there.
    """
    unanswered = client.connection_pool.make_connection()
    try:
        for command in ("OFF", "ON"):
            unanswered.send_command("CLIENT", "REPLY", command)
        unanswered.read_response()
    except redis.exceptions.NoPermissionError:
        raise
    except redis.exceptions.ResponseError:
        pass
    finally:
        unanswered.disconnect()


def _why_not_listening(error: OSError) -> str:
    address = f"{settings.HOST}:{settings.PORT}"
    if error.errno == errno.EADDRINUSE:
        return f"port {settings.PORT} is taken on {settings.HOST}; choose another one with PORT."
    if error.errno == errno.EACCES:
        return f"{address} needs root; choose a PORT of 1024 or more, with a proxy in front."
    return f"cannot listen on {address}: {os.strerror(error.errno or 0)}."


def first_line(error: Exception) -> str:
    """What an error says, for somebody who sees no more than that."""
    return next(iter(str(error).splitlines()), type(error).__name__)
