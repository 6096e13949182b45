"""python -m chatsite.serve.leash PROGRAM ARGUMENT...: the program ends when its parent ends, however that came."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
HOLDER = "CHATSITE_LEASH_HOLDER"


def main(command: list[str]) -> None:
    """Ends at once where the holder has gone before the system was asked: nobody would be told of that any more."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.environ.get(HOLDER) not in (None, str(os.getppid())):
        sys.exit("the process that started this one is gone")
    os.environ.update(as_holder())
    os.execvp(command[0], command)


def as_holder() -> dict[str, str]:
    """For the environment of what this process starts on a leash."""
    return {HOLDER: str(os.getpid())}


if __name__ == "__main__":
    main(sys.argv[1:])
