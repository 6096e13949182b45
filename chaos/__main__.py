"""python -m chaos --minutes 10 --seed 7 --clients 50 --processes 2 --database sqlite --mix kill,cut"""

from __future__ import annotations

import argparse
import asyncio
import pickle
import random
import signal
import sys
from pathlib import Path

from . import prove
from .checker import check
from .history import Evidence, now
from .nemesis import KINDS, ON_POSTGRESQL
from .options import Options
from .report import report
from .run import Run

EVIDENCE = "evidence.pickle"


def main() -> int:
    given = _arguments()
    if given.prove:
        return asyncio.run(prove.prove(given.database))
    if given.judge:
        return judge(*pickle.loads((given.judge / EVIDENCE).read_bytes()))
    return asyncio.run(go(_options(given), keep=given.keep))


async def go(options: Options, keep: bool = False) -> int:
    """One run with its report. 0: nothing was wrong; 1: something was; the logs are kept then."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    began = now()
    run = Run(options, lambda what: print(f"{now() - began:7.1f}  {what}", flush=True))
    evidence = await run.go()
    evidence.logs = run.site.logs
    verdict = judge(evidence, options)
    if verdict or keep:
        (run.site.folder / EVIDENCE).write_bytes(pickle.dumps((evidence, options)))
        print(f"Logs, database and evidence are kept; judged again by: python -m chaos --judge {run.site.folder}")
    else:
        run.forget()
    return verdict


def judge(evidence: Evidence, options: Options) -> int:
    cases = check(evidence)
    print("\n" + "\n".join(report(evidence, cases, options)), flush=True)
    return 1 if cases else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m chaos", description="Breaks a site at random and checks what is left.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seconds", type=float, help="instead of --minutes")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--mix", help=f"kinds of faults, all by default: {','.join(KINDS)}")
    parser.add_argument("--server", choices=["chatsite.server", "daphne"], default="chatsite.server")
    parser.add_argument("--rate", type=float, default=0.5, help="what one person writes in a second")
    parser.add_argument("--pause", type=float, default=5, help="seconds between two faults, on average")
    parser.add_argument("--longest", type=float, default=60, help="seconds that a fault lasts at most")
    parser.add_argument("--planted", choices=prove.FAULTS, default="", help="what is broken: it has to be found")
    parser.add_argument("--prove", action="store_true", help="plant each fault, and show that it is found")
    parser.add_argument("--judge", type=Path, metavar="FOLDER", help="judge the evidence of a kept run again")
    parser.add_argument("--keep", action="store_true", help="keep the logs and the database")
    return parser.parse_args()


def _options(given: argparse.Namespace) -> Options:
    return Options(
        seed=given.seed,
        seconds=given.seconds or given.minutes * 60,
        mix=_mix(given.mix, given.database),
        clients=given.clients,
        processes=given.processes,
        database=given.database,
        server=given.server,
        rate_per_s=given.rate,
        pause_s=given.pause,
        longest_s=given.longest,
        planted=given.planted,
    )


def _mix(given: str | None, database: str) -> tuple[str, ...]:
    possible = [kind for kind in KINDS if database == "postgresql" or kind not in ON_POSTGRESQL]
    mix = tuple(given.split(",")) if given else tuple(possible)
    if unknown := set(mix) - set(possible):
        raise SystemExit(f"no such faults with {database}: {', '.join(sorted(unknown))}")
    return mix


if __name__ == "__main__":
    sys.exit(main())
