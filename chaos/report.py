"""What a run comes to, in words: the numbers that must be zero, the cases behind them, how long people were away."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from .ends import cause_of
from .history import FOREVER, Blackout, Evidence, Story, Strike, Write
from .index import Case
from .lateness import deliveries
from .nemesis import ON_SERVERS
from .options import Options

KINDS = (
    "lost",
    "doubled",
    "reordered",
    "ghost",
    "different",
    "late",
    "presence",
    "stuck",
    "sent away",
    "unexplained",
    "errors",
    "complaints",
)
CASES_SHOWN = 3
AROUND_S = 30.0
REDIS_AFTERMATH_S = 15.0


def report(evidence: Evidence, cases: list[Case], options: Options) -> Iterator[str]:
    yield from _work(evidence)
    yield ""
    yield from _blackouts(evidence)
    yield ""
    yield from _deliveries(evidence)
    yield ""
    counts = Counter(case.kind for case in cases)
    yield "must be zero: " + ", ".join(f"{counts[kind]} {kind}" for kind in KINDS)
    for kind in KINDS:
        yield from _cases(evidence, [case for case in cases if case.kind == kind])
    if cases:
        yield f"\nThe same faults again: {command(options)}"


def command(options: Options) -> str:
    """What makes the same plan again."""
    parts = [
        f"python -m chaos --seed {options.seed} --seconds {options.seconds:g}",
        f"--clients {options.clients} --processes {options.processes} --database {options.database}",
        f"--mix {','.join(options.mix)} --pause {options.pause_s:g} --longest {options.longest_s:g}",
    ]
    return " ".join([*parts, f"--planted {options.planted}"] if options.planted else parts)


# Figures ---------------------------------------------------------------------------------------------------


def _work(evidence: Evidence) -> Iterator[str]:
    writes = [write for story in evidence.stories for write in story.writes]
    acked = Counter(write.kind for write in writes if write.acks)
    sent = sum(len(write.sent) for write in writes)
    repeats = sum(bool(ack.get("duplicate")) for write in writes for ack in write.acks)
    rows = sum(map(len, evidence.kept.rooms.values()))
    yield f"{evidence.ended - evidence.began:.0f} s, {len(evidence.stories)} people, {rows} messages in the database"
    yield f"{_listed(acked)} acknowledged of {len(writes)} written; sent {sent} times, {repeats} acks were repeats"
    errors = Counter(code for story in evidence.stories for _, code, _ in story.errors)
    yield f"told to people: {_listed(errors) or 'no errors'}"
    said = sum((story.said for story in evidence.stories), Counter[str]())
    seen = sum(len(story.saw_typing) for story in evidence.stories)
    yield f"said without an answer: {_listed(said)}; {seen} times somebody saw another one type for the first time"
    gaps, resyncs = (sum(getattr(story, what) for story in evidence.stories) for what in ("gaps", "resyncs"))
    yield f"gaps that clients had to fill: {gaps}, resyncs: {resyncs}"
    yield f"faults: {_listed(Counter(strike.kind for strike in evidence.strikes))}"
    died = sum(strike.note.endswith("died after a commit") for strike in evidence.strikes)
    yield f"servers that died between a commit and its delivery: {died}"
    if evidence.stalls:
        longest = max(ended - began for began, ended in evidence.stalls)
        yield f"this program stood still {len(evidence.stalls)} times, {longest:.1f} s at most"


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.most_common())


def _blackouts(evidence: Evidence) -> Iterator[str]:
    by_cause: defaultdict[str, list[float]] = defaultdict(list)
    for story in evidence.stories:
        for blackout in story.blackouts:
            if blackout.ended != FOREVER:
                cause = cause_of(evidence, story, blackout) or "unexplained"
                alone = ", no server left" if _was_without_servers(evidence, blackout) else ""
                by_cause[cause + alone].append(blackout.ended - blackout.closed_at)
    yield f"{'blackouts, s':30}{'n':>8}{'p50':>8}{'p99':>8}{'max':>8}"
    for cause, seconds in sorted(by_cause.items()):
        yield _row(cause, seconds)


def _was_without_servers(evidence: Evidence, blackout: Blackout) -> bool:
    """At some moment of it every server was struck: then nobody can come back before the first of them does."""
    struck = [
        (strike.began, strike.ended, server)
        for strike in evidence.strikes
        for server in strike.touched
        if strike.kind in ON_SERVERS and isinstance(server, int) and strike.overlaps(blackout.closed_at, blackout.ended)
    ]
    return any(
        {server for began, ended, server in struck if began <= moment <= ended} >= set(evidence.online)
        for moment in [blackout.closed_at, *(began for began, _, _ in struck)]
    )


def _deliveries(evidence: Evidence) -> Iterator[str]:
    always: list[float] = []
    without_redis: list[float] = []
    redis = [strike for strike in evidence.strikes if "valkey" in strike.touched]
    for story in evidence.stories:
        for post, seen_at, span in deliveries(evidence, story):
            if seen_at <= span.ended:
                delay_s = max(0.0, seen_at - post.acked_at)
                always.append(delay_s)
                if any(strike.began <= post.acked_at <= strike.ended + REDIS_AFTERMATH_S for strike in redis):
                    without_redis.append(delay_s)
    yield f"{'ack to others, s':30}{'n':>8}{'p50':>8}{'p99':>8}{'max':>8}"
    yield _row("all", always)
    yield _row("Redis away or just back", without_redis)


def _row(what: str, seconds: list[float]) -> str:
    if not seconds:
        return f"{what:30}{0:>8}"
    ordered = sorted(seconds)
    p50, p99 = (ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.99))
    return f"{what:30}{len(ordered):>8}{p50:>8.2f}{p99:>8.2f}{ordered[-1]:>8.2f}"


# Cases -----------------------------------------------------------------------------------------------------


def _cases(evidence: Evidence, cases: list[Case]) -> Iterator[str]:
    for case in cases[:CASES_SHOWN]:
        yield f"\n{case.kind}: {case.what}"
        yield from (f"    {at - evidence.began:8.2f}  {what}" for at, what in sorted(_history(evidence, case)))
    if len(cases) > CASES_SHOWN:
        yield f"\n{cases[0].kind}: and {len(cases) - CASES_SHOWN} more"


def _history(evidence: Evidence, case: Case) -> Iterator[tuple[float, str]]:
    """What is known of the writes and the person, and what befell them around that time."""
    for write in case.writes:
        yield from _of_write(write)
    at = case.at if case.at is not None else _last_moment(case.writes)
    if at is None:
        return
    for story in evidence.stories:
        if story.name == case.person:
            yield from _of_person(story, at)
    yield from _of_strikes(evidence.strikes, at)


def _of_write(write: Write) -> Iterator[tuple[float, str]]:
    what = f"{write.author}'s {write.kind} {write.number} ({write.seq or write.nonce} {write.emoji}{write.text[:40]!r})"
    for at, server in write.sent:
        yield at, f"{what} sent to server {server}"
    if write.acks:
        yield write.acked_at, f"{what} acknowledged: {write.acks[0]}"
    elif write.refused and write.sent:
        yield write.sent[-1][0], f"{what} refused: {write.refused}"


def _of_person(story: Story, at: float) -> Iterator[tuple[float, str]]:
    yield from _near(at, ((span.began, f"{story.name} caught up on server {span.server}") for span in story.spans))
    for one in story.blackouts:
        yield from _near(at, [(one.closed_at, f"{story.name} lost server {one.server} with {one.code}")])
    yield from _near(at, ((moment, f"{story.name} was told {code}") for moment, code, _ in story.errors))


def _of_strikes(strikes: Iterable[Strike], at: float) -> Iterator[tuple[float, str]]:
    for strike in strikes:
        if strike.overlaps(at - AROUND_S, at + AROUND_S):
            yield strike.began, f"{strike.kind} {strike.note}"
            if strike.ended != FOREVER:
                yield strike.ended, f"{strike.kind} {strike.note} is over"


def _near(at: float, told: Iterable[tuple[float, str]]) -> Iterator[tuple[float, str]]:
    return ((moment, what) for moment, what in told if abs(moment - at) <= AROUND_S)


def _last_moment(writes: Iterable[Write]) -> float | None:
    moments = [at for write in writes for at, _ in write.sent]
    return max(moments, default=None)
