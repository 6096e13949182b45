"""People at their browsers: what they do and what they see."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from playwright.async_api import Browser, ConsoleMessage, Locator, Page, WebSocket, expect

from rig.staging import PASSWORD, Place

PATIENCE_MS = 20_000
NO_NETWORK = "Error in connection establishment: net::ERR_INTERNET_DISCONNECTED"
NO_SERVER = (
    r"Error in connection establishment: net::ERR_CONNECTION_(REFUSED|RESET|CLOSED)"
    "|Connection closed before receiving a handshake response"
)
TEXTS = '.message [data-part="text"]'

NOTE_STATES = """
addEventListener("DOMContentLoaded", () => {
  const status = document.getElementById("status");
  if (!status) return;
  window.statesSeen = [];
  const note = () => window.statesSeen.push(status.dataset.state);
  new MutationObserver(note).observe(status, { attributeFilter: ["data-state"] });
});
"""

expect.set_options(timeout=PATIENCE_MS)


# `wait_for_function` would take the promise for its answer, and not wait at all.
A_DRAFT_IS_KEPT = """
async () => {
  const done = (request) => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
  const frame = () => new Promise(requestAnimationFrame);
  const database = await done(indexedDB.open("chatsite"));
  const drafts = () => database.transaction("drafts").objectStore("drafts");
  while ((await done(drafts().count())) === 0) await frame();
  database.close();
}
"""


class Person:
    """Somebody in one tab of a browser."""

    def __init__(self, name: str, page: Page, complaints: list[str]):
        self.name = name
        self.page = page
        self.connections = 0
        self._complaints = complaints
        self._hellos: list[dict[str, Any]] = []
        page.on("console", self._heed_console)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("websocket", self._heed_socket)

    def _heed_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._complaints.append(message.text)

    def _heed_socket(self, socket: WebSocket) -> None:
        self.connections += 1
        socket.on("framereceived", self._heed_frame)

    def _heed_frame(self, frame: str | bytes) -> None:
        if isinstance(frame, str) and frame.startswith('{"type":"hello"'):
            self._hellos.append(json.loads(frame.split("\n")[0]))

    @property
    def process(self) -> str:
        """The label of the server process that they are connected to."""
        return self._hellos[-1]["process"].rpartition("-")[0]

    # Coming and going

    async def enters(self, url: str, room: str) -> Person:
        """As a guest, through the front door."""
        await self.page.goto(f"{url}/?next=/rooms/{room}/")
        await self.page.get_by_label("Your name").fill(self.name)
        await self.presses("Join as guest")
        return await self.is_in()

    async def signs_in(self, url: str, room: str = "lobby", password: str = PASSWORD) -> Person:
        await self.page.goto(f"{url}/accounts/login/?next=/rooms/{room}/")
        await self.page.get_by_label("Name").fill(self.name)
        await self.page.get_by_label("Password").fill(password)
        await self.presses("Sign in")
        return await self.is_in()

    async def is_in(self) -> Person:
        """Until the room is there."""
        await expect(self.page.locator("#messages:not([data-loading])")).to_be_attached()
        await self.is_told("Online")
        return self

    async def opens(self, path: str) -> None:
        await self.page.goto(path)

    async def opens_another_tab(self, path: str = "") -> Person:
        """Of the same page, if no other is asked for."""
        tab = Person(self.name, await self.page.context.new_page(), self._complaints)
        await tab.opens(path or self.page.url)
        return tab

    async def reloads(self) -> None:
        await self.page.reload()

    async def loses_the_network(self) -> None:
        await self.page.context.set_offline(True)

    async def has_the_network_back(self) -> None:
        await self.page.context.set_offline(False)

    # Doing

    @property
    def composer(self) -> Locator:
        return self.page.locator("#composer-text")

    async def writes(self, text: str) -> None:
        """Without sending it."""
        await self.composer.fill(text)

    async def writes_by_script(self, literal: str) -> None:
        """What no keyboard and no driver can type, written as in JavaScript."""
        await self.composer.evaluate(f'text => {{ text.value = "{literal}"; text.dispatchEvent(new Event("input")); }}')

    async def sees_the_draft_kept(self) -> None:
        """The browser says so itself: what is typed in the moment of a reload, it may lose."""
        async with asyncio.timeout(PATIENCE_MS / 1000):
            await self.page.evaluate(A_DRAFT_IS_KEPT)

    async def says(self, *texts: str) -> None:
        for text in texts:
            await self.writes(text)
            await self.composer.press("Enter")

    async def says_with_the_button(self, text: str) -> None:
        """As on a phone, whose Enter begins a line."""
        await self.writes(text)
        await self.page.locator("#composer-send").click()

    async def presses(self, words: str) -> None:
        await self.page.get_by_role("button", name=words, exact=True).click()

    async def follows(self, words: str) -> None:
        await self.page.get_by_role("link", name=words, exact=True).click()

    # Seeing

    def line(self, text: str) -> Locator:
        """The message with that text."""
        return self.page.locator(".message").filter(has=self.page.get_by_text(text, exact=True))

    async def sees(self, *texts: str) -> None:
        """Each of them, once."""
        for text in texts:
            await expect(self.line(text)).to_have_count(1)

    async def sees_sent(self, *texts: str) -> None:
        """Each of them, once, and no longer on its way."""
        for text in texts:
            await expect(self.line(text)).to_have_attribute("data-status", "sent")

    async def sees_on_its_way(self, *texts: str) -> None:
        for text in texts:
            await expect(self.line(text)).to_have_attribute("data-status", "sending")

    async def sees_just(self, *texts: str) -> None:
        """These messages in this order, and no others."""
        await expect(self.page.locator(TEXTS)).to_have_text(list(texts))

    async def sees_no(self, text: str) -> None:
        await expect(self.line(text)).to_have_count(0)

    async def reads(self) -> list[str]:
        """The texts of the messages as they are now."""
        return await self.page.locator(TEXTS).all_inner_texts()

    async def sees_people(self, *names: str) -> None:
        await expect(self.page.locator("#people > li")).to_have_text(list(names))
        await expect(self.page.locator("#people-count")).to_have_text(str(len(names)))

    async def is_told(self, words: str | re.Pattern[str]) -> None:
        """What the page says of the connection."""
        await expect(self.page.locator("#status-text")).to_have_text(words)

    async def finds(self, words: str) -> None:
        """These words somewhere on the page, and not only in the voice for those who listen to it."""
        silent = self.page.locator(":not(#announcer)")
        await expect(self.page.get_by_text(words, exact=True).and_(silent)).to_be_visible()

    async def states(self) -> list[str]:
        """Every state of the connection since the page was loaded."""
        return await self.page.evaluate("statesSeen")


class Chat:
    """A site, and the people of one test, each in a browser profile of their own."""

    def __init__(self, place: Place, browser: Browser):
        self.place = place
        self.site = place.site
        self.room = place.room
        self._browser = browser
        self._people: list[Person] = []
        self._complaints: list[str] = []
        self._expected = [re.compile(f"WebSocket connection to '[^']+' failed: {NO_NETWORK}")]

    async def person(self, name: str, **profile: Any) -> Person:
        """Somebody who has not opened anything yet. Of `profile`: what Playwright's new_context takes."""
        context = await self._browser.new_context(**profile)
        await context.add_init_script(NOTE_STATES)
        self._people.append(Person(self.place.name(name), await context.new_page(), self._complaints))
        return self._people[-1]

    async def enter(self, name: str, process: int = 0, room: str = "", **profile: Any) -> Person:
        """A guest in the room, connected to that server process."""
        person = await self.person(name, **profile)
        return await person.enters(self.site.urls[process], room or self.room)

    def kill(self, process: int) -> None:
        """Without a word, as kill -9 does."""
        self.will_be_missed(process)
        self.site.kill(process)

    def start(self, process: int) -> None:
        self.site.start(process)

    def will_be_missed(self, process: int) -> None:
        """Browsers may complain that they cannot reach it."""
        self.expect_complaints(f"WebSocket connection to '{self.site.ws_urls[process]}' failed: ({NO_SERVER})")

    def expect_complaints(self, pattern: str) -> None:
        self._expected.append(re.compile(pattern))

    @property
    def complaints(self) -> list[str]:
        """Errors and warnings of the browsers, without those of a network or a server that a test took away."""
        return [words for words in self._complaints if not any(known.match(words) for known in self._expected)]

    async def end(self) -> None:
        for person in self._people:
            await person.page.context.close()
