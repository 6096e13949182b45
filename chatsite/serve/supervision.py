"""What supervisor is told to run: the server processes on one port, and a private Valkey if there is one."""

import os
import shlex
import sys

DRAIN_TIMEOUT_S = 15

SUPERVISOR = """\
[supervisord]
nodaemon = true
logfile = /dev/null
logfile_maxbytes = 0
loglevel = warn
pidfile = %(here)s/supervisord.pid
childlogdir = %(here)s
"""

VALKEY = """
[program:valkey]
command = {command}
priority = 1
autorestart = true
startretries = 1000000
stdout_logfile = NONE
stderr_logfile = /dev/fd/1
stderr_logfile_maxbytes = 0
"""

SERVERS = """
[fcgi-program:web]
command = {command}
socket = tcp://{host}:{port}
socket_backlog = 1024
process_name = web-%(process_num)d
environment = CHATSITE_PROCESS="web-%(process_num)d"
numprocs = {count}
numprocs_start = 1
priority = 2
autorestart = true
startretries = 1000000
stopwaitsecs = {drain_timeout_s}
redirect_stderr = true
stdout_logfile = /dev/fd/1
stdout_logfile_maxbytes = 0
"""


def server_command(address: list[str], server: str = "chatsite.server") -> list[str]:
    """A server process at an address in Daphne's own options; its limits are the defaults of its command line."""
    return [sys.executable, "-m", server, *address, "chatsite.asgi:application"]


def config(host: str, port: int, count: int, valkey_command: list[str] | None) -> str:
    servers = SERVERS.format(
        command=_command_line(leashed(server_command(["--fd", "0"]))),
        host=host,
        port=port,
        count=count,
        drain_timeout_s=DRAIN_TIMEOUT_S,
    )
    valkey = VALKEY.format(command=_command_line(leashed(valkey_command))) if valkey_command else ""
    return SUPERVISOR + _user() + valkey + servers


def leashed(command: list[str]) -> list[str]:
    return [sys.executable, "-m", "chatsite.serve.leash", *command]


def _user() -> str:
    """Root has to be named, or supervisor complains about it at every start."""
    return "user = root\n" if os.geteuid() == 0 else ""


def _command_line(command: list[str]) -> str:
    return shlex.join(command).replace("%", "%%")
