"""Who has to leave, and who should never have come."""

from __future__ import annotations

import asyncio
import time

from rig.client import ChatClient
from rig.person import Person
from rig.site import Site
from rig.staging import PASSWORD, Place, tickets
from rig.strange import assert_nobody_minds, knock, pester
from rig.visitor import Visitor

from .stage import Stage
from .table import Finding

LOGOUTS = 30
LOGOUT_LIMIT_S = 1.0
FRAMES = 18_000
HANDSHAKES = 2_000
PESTS = 6
KNOCKERS = 20


async def logout(stage: Stage) -> Finding:
    """From the request to one process until the socket in the other one is closed."""
    with stage.site(2) as site:
        await asyncio.to_thread(tickets, site, "ada")
        took_s = [await _logout_s(site) for _ in range(LOGOUTS)]
    return Finding(
        f"{max(took_s):.2f} s at most, {sum(took_s) / len(took_s):.2f} s on average, of {len(took_s)}",
        holds=max(took_s) <= LOGOUT_LIMIT_S,
    )


async def _logout_s(site: Site) -> float:
    visitor = await asyncio.to_thread(_signed_in, site.urls[0])
    headers = {"Cookie": visitor.cookie, "Origin": site.urls[1]}
    async with ChatClient(site.ws_urls[1], additional_headers=headers) as client:
        await client.join()
        began = time.monotonic()
        leaving = asyncio.create_task(asyncio.to_thread(visitor.post, "/accounts/logout/"))
        await client.told("closed", code=4001)
        took_s = time.monotonic() - began
        await leaving
    return took_s


def _signed_in(url: str) -> Visitor:
    visitor = Visitor(url)
    visitor.get("/accounts/login/")
    visitor.post("/accounts/login/", login="ada", password=PASSWORD)
    return visitor


async def hostile(stage: Stage) -> Finding:
    with stage.site(2) as site:
        place = Place(site, 1)
        pests = [pester(place, seed, FRAMES // PESTS) for seed in range(PESTS)]
        knockers = [knock(place, seed, HANDSHAKES // KNOCKERS) for seed in range(KNOCKERS)]
        try:
            await assert_nobody_minds(place, *pests, *knockers)
            effects = "none"
        except AssertionError as effect:
            effects = str(effect) or "somebody noticed"
        tracebacks = site.logs.count("Traceback")
        async with Person(site.ws_urls, "name=last") as last:
            still_serves = (await last.says("still here"))["type"] == "ack"
    return Finding(
        f"{FRAMES:,} frames and {HANDSHAKES:,} handshakes: {tracebacks} tracebacks; effects on others: {effects};"
        f" {'still' if still_serves else 'no longer'} serves",
        holds=tracebacks == 0 and effects == "none" and still_serves,
    )
