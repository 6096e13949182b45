"""Sockets that were opened by a parent, and given with --fd."""

import os
import socket

INHERITED = "fd:fileno="


def other_family(endpoint: str) -> int | None:
    """The family of a socket given with --fd, where it is not the IPv4 that Daphne takes it for."""
    if not endpoint.startswith(INHERITED):
        return None
    try:
        with socket.socket(fileno=os.dup(int(endpoint.removeprefix(INHERITED)))) as listener:
            return listener.family if listener.family != socket.AF_INET else None
    except OSError:  # not a socket: Daphne says so
        return None
