"""The server with other numbers than those of chat/limits.py: python -m rig.tuned, with the options of chatsite.server.

CHAT_CONF in the environment has them: {"HEARTBEAT_INTERVAL_S": 2, …}.
"""

import json
import os

from chat import limits
from chatsite.server.cli import CommandLine

HASTE = 5
CLOCKS = [
    *("HEARTBEAT_INTERVAL_S", "HEARTBEAT_DEADLINE_S", "OUT_OF_STEP_S"),
    *("ALIVE_INTERVAL_S", "ALIVE_LIFETIME_S", "GRACE_S", "GRACE_WHILE_DRAINING_S"),
    *("PING_INTERVAL_S", "PING_DEADLINE_S", "ALONE_AFTER_S", "STANDING_INTERVAL_S"),
]

# For what takes its time: hearts that stop, processes that fall silent, sessions that expire.
HASTY = {
    "server": "rig.tuned",
    "CHAT_CONF": json.dumps({name: getattr(limits, name) / HASTE for name in CLOCKS} | {"HEARTBEAT_TIMEOUT_S": 2}),
}
# For proving that something came through Redis: no look at the database finds it.
TRUSTING = {
    "server": "rig.tuned",
    "CHAT_CONF": json.dumps({"HEAD_CHECK_S": 3600, "PING_INTERVAL_S": 1, "PING_DEADLINE_S": 2.4}),
}


def tune(numbers: dict[str, float]) -> None:
    for name, number in numbers.items():
        getattr(limits, name)
        setattr(limits, name, number)


if __name__ == "__main__":
    tune(json.loads(os.environ["CHAT_CONF"]))
    CommandLine.entrypoint()
