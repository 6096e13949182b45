"""The upgrade: path, origin, dialect, name, in that order.

What is not ours is refused before the handshake completes, with an HTTP status. A person who is not admitted is
accepted and closed with a code, because a browser can read a close code and cannot read a status.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from autobahn.exception import Disconnected
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from accounts import identity, names, tickets
from accounts.identity import NotAdmitted, Person, Why
from accounts.session_store import session_key
from chat import database
from chat.live import runtime
from chat.live.arrivals import Arrival
from chat.live.rate_limits import NewNames
from chat.wire import events
from chat.wire.closes import Close
from chat.wire.dialects import BY_SUBPROTOCOL, Dialect, ModeCode, PlainText
from chat.wire.refusals import Refusal

from .scope import Scope, address, asked, cookies, header, offered_subprotocols, offered_ticket

logger = logging.getLogger("chat.upgrade")

new_names = NewNames()

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class KnownPaths:
    """Lets only our own paths through, and makes their way out a safe one."""

    def __init__(self, app: App, paths: Collection[str]):
        self.app = app
        self.paths = frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The path is all there is: a root path, which anybody can claim in a header, would only lead the router astray.
        if scope["path"] in self.paths:
            await self.app({**scope, "root_path": ""}, receive, _to_whoever_is_there(send))
        else:
            await _deny(scope, send, "no such path")


class SameOrigin:
    """Refuses pages of other sites. A program, which sends no Origin, is let through: it has no cookies to steal."""

    def __init__(self, app: App):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = header(scope, b"origin")
        if origin is None or is_ours(origin, header(scope, b"host") or ""):
            await self.app(scope, receive, send)
        else:
            await _deny(scope, send, f"origin {origin!r:.100} is not ours; if people type it, set PUBLIC_URL to it")


class AcceptAnybody:
    """Accepts the connection as it comes; it speaks no subprotocol."""

    def __init__(self, app: App):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        if offered := offered_subprotocols(scope):
            await _refuse_dialects(scope, send, offered)
        else:
            await send({"type": "websocket.accept"})
            await self.app(scope, receive, send)


class NegotiateDialect:
    """Accepts the connection in the dialect that it asks for, and puts that into `scope["dialect"]`."""

    def __init__(self, app: App):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        offered = offered_subprotocols(scope)
        chosen = _choose(scope["path"], offered)
        if (on_drain := scope.get("extensions", {}).get("chatsite.drain")) is not None:
            on_drain(runtime.drain)
        await receive()
        if chosen is None:
            await _refuse_dialects(scope, send, offered)
        else:
            await send({"type": "websocket.accept", "subprotocol": chosen.subprotocol if offered else None})
            with Arrival() as arrival:
                await self.app({**scope, "dialect": chosen, "arrival": arrival}, receive, send)


class IdentifyPerson:
    """Settles who this is, and puts that into `scope["person"]`: by ticket, by cookie, or by name alone."""

    def __init__(self, app: App):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            person = await identify(scope)
        except NotAdmitted as refused:
            await _close(scope, send, scope["dialect"], Close[refused.why.name], str(refused))
        except Refusal as trouble:
            await _close(scope, send, scope["dialect"], Close.OVERLOADED, trouble.message)
        else:
            await self.app({**scope, "person": person}, receive, send)


async def identify(scope: Scope) -> Person:
    """The person of a connection, or NotAdmitted. A name beside a cookie or ticket must be the same."""
    name = asked(scope, "name")
    person = await _by_proof(scope, asked(scope, "ticket"))
    if person is not None:
        if name is not None and names.key(name) != names.key(person.name):
            raise NotAdmitted(Why.FORBIDDEN, "the name is not the one signed in")
        return person
    if name is not None:
        return await database.identity_threads.run(identity.by_name, name, new_names.admit(address(scope)))
    if scope["dialect"] is PlainText:
        return await database.identity_threads.run(identity.by_no_name, new_names.admit(address(scope)))
    raise NotAdmitted(Why.NOT_SIGNED_IN, "no cookie, no ticket and no name")


async def _by_proof(scope: Scope, ticket: str | None) -> Person | None:
    ticket = ticket or offered_ticket(scope)
    if ticket is not None:
        return tickets.by_ticket(ticket)
    if (key := session_key(cookies(scope))) is not None:
        return await database.identity_threads.run(identity.by_session, key)
    return None


def is_ours(origin: str, host: str) -> bool:
    """Is this whole origin one of ours? Configured ones; or, on an allowed host, the page's own."""
    if origin in settings.CHAT_ORIGINS:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    domain, _ = split_domain_port(host)
    is_own = parts.netloc.lower() == host.lower() and parts.scheme in ("http", "https")
    return is_own and not settings.CHAT_ORIGINS and validate_host(domain, settings.ALLOWED_HOSTS)


def _choose(path: str, offered: list[str]) -> type[Dialect] | None:
    if not offered:
        return PlainText if path == "/ws/text/" else ModeCode
    return next((BY_SUBPROTOCOL[name] for name in offered if name in BY_SUBPROTOCOL), None)


def _to_whoever_is_there(send: Send) -> Send:
    """A client that is gone hears nothing; the disconnect that follows is what counts."""

    async def send_if_there(message: dict[str, Any]) -> None:
        with suppress(Disconnected, OSError):
            await send(message)

    return send_if_there


async def _deny(scope: Scope, send: Send, why: str) -> None:
    logger.info("denied %s %.200r: %s", address(scope), scope["path"], why)
    await send({"type": "websocket.close"})


async def _refuse_dialects(scope: Scope, send: Send, offered: list[str]) -> None:
    """A browser shows a close code only when its subprotocol was answered, so an unknown one is answered too."""
    await send({"type": "websocket.accept", "subprotocol": offered[0]})
    await _close(scope, send, None, Close.PROTOCOL_NOT_SUPPORTED, "unsupported subprotocol")


async def _close(scope: Scope, send: Send, dialect: type[Dialect] | None, code: Close, why: str) -> None:
    name = asked(scope, "name")
    known_as = "" if name is None else f" as {name!r:.100}"
    logger.info("refused %s %.200r%s with %d: %s", address(scope), scope["path"], known_as, code, why)
    frame = dialect.encode_event(events.Bye(code=code, reason=why)) if dialect else None
    if frame is not None:
        await send({"type": "websocket.send", "text": frame.payload.decode()})
    await send({"type": "websocket.close", "code": int(code)})
