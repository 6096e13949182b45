"""This site as one of the servers: every message is committed, and goes through Redis."""

import itertools
import json
from typing import Any

from chatsite.serve import supervision
from rig.programs import PostgreSQL, free_port
from rig.site import PROJECT, run_python

from .servers import Server, endpoint
from .wires import ChatWire

NO_LIMIT = {"CHAT_POSTS_PER_S": "0", "CHAT_CONNECTIONS_PER_NAME": "1000"}


class DurablePostgreSQL(PostgreSQL):
    """As it comes, which means that a commit is on the disk."""

    FAST = ("max_connections=300",)


class SiteServer(Server):
    """One or more processes, each with its own port, on one database and one Redis."""

    def start(self, processes: int, env: dict[str, str], program: str) -> None:
        self.start_valkey()
        self.env = env | NO_LIMIT | {"REDIS_URL": self.env["REDIS_URL"]}
        for number in range(processes):
            port = free_port()
            command = supervision.server_command(["--endpoint", endpoint(port)], program)
            self.listen(command, port, {"CHATSITE_PROCESS": f"bench{number + 1}"})

    def wire(self, rooms: list[str], clients: int) -> ChatWire:
        tickets = self.seed(people=max(1, clients), rooms=rooms)["tickets"]
        return ChatWire(itertools.cycle(tickets))

    def seed(self, **wanted: Any) -> dict[str, Any]:
        """See seed.py."""
        return json.loads(run_python(self.env, "-m", "bench.seed", json.dumps(wanted)))


def program() -> str:
    """What serves it best of what there is."""
    return "chatsite.server" if (PROJECT / "chatsite" / "server").exists() else "daphne"
