"""Plants each fault in turn and shows that the checker finds it: a checker that cannot fail proves nothing."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from .checker import check
from .options import Options
from .run import Run


class Proof(NamedTuple):
    """A planted fault, the nemesis that brings it out, and what the checker has to call it."""

    planted: str
    mix: tuple[str, ...]
    finding: str


PROOFS = (
    Proof("no-head-check", ("redis-freeze", "redis-restart"), "late"),
    Proof("no-nonce", ("cut", "kill"), "doubled"),
    Proof("no-reading", ("cut",), "lost"),
    Proof("ack-before-commit", ("kill",), "lost"),
)
FAULTS = tuple(proof.planted for proof in PROOFS)


async def prove(database: str) -> int:
    """0: all were found."""
    found = [await _is_found(proof, database) for proof in PROOFS]
    return 0 if all(found) else 1


async def _is_found(proof: Proof, database: str) -> bool:
    run = Run(options(proof, database), say=lambda what: None)
    try:
        evidence = await run.go()
        evidence.logs = run.site.logs
    finally:
        run.forget()
    counts = Counter(case.kind for case in check(evidence))
    is_found = counts[proof.finding] > 0
    listed = ", ".join(f"{count} {kind}" for kind, count in counts.most_common()) or "nothing"
    print(f"{proof.planted:20}{'found' if is_found else 'NOT FOUND':12}{listed}", flush=True)
    return is_found


def options(proof: Proof, database: str) -> Options:
    return Options(
        seed=7,
        seconds=20,
        mix=proof.mix,
        clients=10,
        database=database,
        rate_per_s=2,
        pause_s=3,
        longest_s=10,
        planted=proof.planted,
    )
