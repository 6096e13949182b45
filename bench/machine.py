"""The machine under the benchmark: who runs on which core, what it costs, and what to call it."""

import os
import platform
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Split:
    """The servers have all cores but the last; the load, Redis and PostgreSQL have the last.

    A server process has one core to itself where there are enough, and shares the one there is on a machine with two.
    """

    def __init__(self) -> None:
        cores = sorted(os.sched_getaffinity(0))
        self.load = cores[-1]
        self.servers = cores[:-1] or cores

    def server(self, number: int) -> int:
        return self.servers[number % len(self.servers)]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Whatever is started in here stays on that core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def allow_many_sockets() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def cpu_s(pid: int) -> float:
    """User and system time of a process so far, with all its threads."""
    return sum(cpu_s_of_threads(pid).values())


def cpu_s_of_threads(pid: int) -> dict[int, float]:
    """The same for each thread, by its id; to the nanosecond, where /proc/<pid>/stat counts hundredths of a second."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return {int(task.name): int((task / "schedstat").read_text().split()[0]) / 1e9 for task in tasks}


def memory_bytes(pid: int) -> int:
    """What a process holds, with its share of what it shares."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"process {pid} does not tell its memory")


def idle_s(core: int) -> float:
    """How long a core has had nothing to do."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *times = line.split()
        if name == f"cpu{core}":
            return (int(times[3]) + int(times[4])) / TICKS_PER_S
    raise RuntimeError(f"there is no core {core}")


def description() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    system = f"{platform.system()} {platform.release()}"
    return f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores, {memory_gb:.0f} GB, {system}"
