"""Many who read at once, one who does not read, and one whose reading takes long."""

from __future__ import annotations

import asyncio
import itertools
import time
from contextlib import ExitStack
from typing import NamedTuple

import psutil

from bench.load import Load
from bench.workshop import Peer, SiteServer, Workshop
from rig.client import ChatClient
from rig.site import Site
from rig.slow_reader import Sloth

from .faults import talking
from .people import Talk, crowd, p99
from .stage import Stage
from .table import Finding
from .watched import LINE

WATCHED = "bench.measures.watched"
LOBBY = "lobby"
MIB = 1024 * 1024

BACK_AT_ONCE = 2_000
BEGINNING = 10
MISSED = 100
CAUGHT_UP_LIMIT_S = 15
QUERIES_LIMIT = 5

TEXT = "x" * 7_000
MESSAGES_PER_S = MIB / len(TEXT)
SLOTHS = 8
ROUNDS = 4
ROUND_S = 6
CUT_LIMIT_S = 15
RATIO_LIMIT = 1.2

SLOW_READ_S = 0.5
DELIVERY_LIMIT_S = 0.05


async def all_back(stage: Stage) -> Finding:
    """With the clients of the benchmark, which cost less than people do."""
    with Workshop() as workshop:
        peer = Peer("site", SiteServer, processes=1, database=stage.database)
        with workshop.running(peer, program=WATCHED) as server:
            load: Load = server.load([LOBBY], BACK_AT_ONCE + 1)
            load.connect([LOBBY] * BACK_AT_ONCE)
            load.burst(LOBBY, BEGINNING)
            load.disconnect()
            load.connect([LOBBY])
            load.burst(LOBBY, MISSED)
            load.disconnect()
            load.clients.wire.after, load.clients.wire.last = BEGINNING, BEGINNING + MISSED
            before = server.logs.count(LINE)
            took_s = load.connect([LOBBY] * BACK_AT_ONCE, at_once=BACK_AT_ONCE)
            queries = server.logs.count(LINE) - before
    return Finding(
        f"all caught up after {took_s:.1f} s, {queries} queries for messages",
        holds=took_s <= CAUGHT_UP_LIMIT_S and queries <= QUERIES_LIMIT,
    )


async def never_reads(stage: Stage) -> Finding:
    """Some seconds without, some with eight at once, several times in turn."""
    with stage.site(1) as site:
        async with crowd(site, 10) as people, ChatClient(f"{site.ws_urls[0]}?name=speaker") as speaker:
            talk = Talk(people)
            shouting = asyncio.create_task(shout(talk, speaker))
            await asyncio.sleep(ROUND_S)
            rounds = [await _round(site, number) for number in range(ROUNDS)]
            shouting.cancel()
            await asyncio.gather(shouting, return_exceptions=True)
            await talk.landed()
    usual_s = p99([delay for one in rounds for delay in talk.delays_s(one.began, one.between)])
    with_sloths_s = p99([delay for one in rounds for delay in talk.delays_s(one.between, one.between + ROUND_S)])
    cost_bytes, cut_s = max(one.cost_bytes for one in rounds) / SLOTHS, max(one.cut_s for one in rounds)
    return Finding(
        f"+ {cost_bytes / MIB:.2f} MiB each, cut after {cut_s:.1f} s; others' p99 {with_sloths_s * 1e3:.1f} ms instead"
        f" of {usual_s * 1e3:.1f} ms, {with_sloths_s / usual_s:.2f}×; {talk.lost} lost",
        holds=cost_bytes <= MIB and cut_s <= CUT_LIMIT_S and with_sloths_s / usual_s <= RATIO_LIMIT and talk.lost == 0,
    )


class Round(NamedTuple):
    """From `began` on without those who do not read, from `between` on with them."""

    began: float
    between: float
    cost_bytes: int
    cut_s: float


async def _round(site: Site, number: int) -> Round:
    began = time.monotonic()
    usual_bytes = await most_memory_bytes(site, began + ROUND_S)
    between = time.monotonic()
    with ExitStack() as stack:
        for sloth in range(SLOTHS):
            # In a thread: it waits for its hello, and the others are measured on this loop.
            arrived = await asyncio.to_thread(Sloth, site.urls[0], f"sloth{number}.{sloth}", LOBBY)
            stack.enter_context(arrived)
        cutting = asyncio.create_task(all_cut_s(site, (number + 1) * SLOTHS))
        cost_bytes = await most_memory_bytes(site, between + ROUND_S) - usual_bytes
        return Round(began, between, cost_bytes, await cutting)


async def shout(talk: Talk, speaker: ChatClient) -> None:
    """A mebibyte a second, and a sign of life with every message."""
    began = time.monotonic()
    for number in itertools.count():
        await asyncio.sleep(max(0, began + number / MESSAGES_PER_S - time.monotonic()))
        text = f"{number} {TEXT}"
        talk.said[text] = time.monotonic()
        await speaker.send("post", room=LOBBY, nonce=str(number), text=text)


async def most_memory_bytes(site: Site, until: float) -> int:
    """The most that the first process has for itself until that moment."""
    process, most = psutil.Process(site.pids[0]), 0
    while time.monotonic() < until:
        most = max(most, process.memory_full_info().uss)
        await asyncio.sleep(0.1)
    return most


async def all_cut_s(site: Site, count: int) -> float:
    began = time.monotonic()
    while site.logs.count("with 4101") < count:
        if time.monotonic() - began > 2 * CUT_LIMIT_S:
            return float("inf")
        await asyncio.sleep(0.1)
    return time.monotonic() - began


async def slow_query(stage: Stage) -> Finding:
    """Somebody reads one slow page after the other while the others talk."""
    with stage.site(1, WATCHED, SLOW_READ_S=str(SLOW_READ_S)) as site:
        async with crowd(site, 20) as people, ChatClient(f"{site.ws_urls[0]}?name=reader") as reader:
            talk = Talk(people)
            async with talking(talk, people, messages_per_s=50):
                pages, began = 0, time.monotonic()
                while time.monotonic() - began < 10:
                    asked_at = time.monotonic()
                    await reader.ask("history", room=LOBBY, before=1_000)
                    pages += time.monotonic() - asked_at >= SLOW_READ_S
            await talk.landed()
            delays_s = talk.delays_s(after=began)
    return Finding(
        f"p50 {sorted(delays_s)[len(delays_s) // 2] * 1e3:.1f} ms, p99 {p99(delays_s) * 1e3:.1f} ms while {pages}"
        f" queries of {SLOW_READ_S * 1e3:.0f} ms ran; {talk.lost} lost",
        holds=pages > 0 and p99(delays_s) <= DELIVERY_LIMIT_S and talk.lost == 0,
    )
