"""A Unix socket to listen on: what a dead server left is taken away, and what is wrong is one line."""

import errno
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

PATH_LIMIT_BYTES = 107
PREFIX = "unix:"
NOBODY_LISTENS = (errno.ECONNREFUSED, errno.ENOENT)


class NotUsable(Exception):
    """The path cannot be listened on; the argument says why, in a line."""


def make_way(endpoint: str) -> None:
    """For an endpoint in Twisted's words, `unix:/path[:option=…]`; anything else is left alone.

    Twisted's lock beside the socket names a process, and processes of other containers, or of the time before a power
    cut, have names that live again: whether somebody listens is asked of the socket.
    """
    if not endpoint.startswith(PREFIX):
        return
    path = Path(endpoint.removeprefix(PREFIX).replace("\\:", "\0").split(":")[0].replace("\0", ":"))
    _check_path(path)
    if _is_listened_on(path):
        raise NotUsable(f"{path}: another server listens there.")
    for stale in (path, path.with_name(path.name + ".lock")):
        with suppress(FileNotFoundError):
            os.unlink(stale)


def _check_path(path: Path) -> None:
    if len(os.fsencode(path)) > PATH_LIMIT_BYTES:
        raise NotUsable(f"{path}: a Unix socket's path has at most {PATH_LIMIT_BYTES} bytes.")
    if not path.parent.is_dir():
        raise NotUsable(f"{path}: there is no such folder.")
    if path.exists() and not stat.S_ISSOCK(path.stat().st_mode):
        raise NotUsable(f"{path}: there is something that is not a socket.")


def _is_listened_on(path: Path) -> bool:
    """A server that is too busy to accept, or lets others in only, is a server."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        return probe.connect_ex(str(path)) not in NOBODY_LISTENS
