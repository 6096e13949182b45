"""Takes the README's picture, of two guests who talk on two server processes: python -m tests.browser.picture"""

import asyncio
import os
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from tests.servers import SHARED_FOLDER, servers
from tests.site import Blueprint, Site
from tests.staging import rows, standing_site

from .chromium import launch
from .people import Chat

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "lobby.png"
SIZE = {"width": 1280, "height": 800}

ROOMS = {"garden": "Garden", "kitchen": "Kitchen", "travel": "Travel plans"}
TALK = [
    ("09:02", "Mei", "Good morning! Did anybody water the tomatoes yesterday?"),
    ("09:04", "Jonas", "I did, all of them. And the beans 🌱"),
    ("09:04", "Mei", "Thank you! Then I only bring the coffee."),
    ("09:05", "Mei", "要喝茶的话，请说一声。"),
    ("09:11", "Jonas", "Tea for me, please. The train lost its signal twice, and I still missed nothing of this."),
    ("09:13", "Mei", "I closed the laptop in the middle of a sentence. It was still there when I opened it again."),
    ("09:26", "Jonas", "See you at ten, at the gate?"),
    ("09:27", "Mei", "At ten 👍"),
]


class Lobby:
    """Where people are called as they are."""

    room = "lobby"

    def __init__(self, site: Site):
        self.site = site

    def name(self, like: str) -> str:
        return like


async def main() -> None:
    servers.start("sqlite")
    try:
        with standing_site(Blueprint(Path(os.environ[SHARED_FOLDER]), None)) as site:
            async with async_playwright() as playwright:
                await take_picture(site, await launch(playwright))
    finally:
        servers.stop()


async def take_picture(site: Site, browser: Browser) -> None:
    for slug, title in ROOMS.items():
        site.manage("room", slug, "--title", title)
    chat = Chat(Lobby(site), browser)
    people = {
        "Mei": await chat.enter("Mei", process=0, viewport=SIZE),
        "Jonas": await chat.enter("Jonas", process=1, viewport=SIZE),
    }
    for _, name, text in TALK:
        await people[name].says(text)
        for person in people.values():
            await person.sees_sent(text)
    for process in range(len(site.processes)):
        site.kill(process)
    as_if_in_the_morning(site)
    for process in range(len(site.processes)):
        site.start(process)
    await people["Mei"].reloads()
    await people["Mei"].is_in()
    await people["Mei"].sees_people("Jonas", "Mei")
    await people["Mei"].page.screenshot(path=PICTURE)


def as_if_in_the_morning(site: Site) -> None:
    """The talk took as long as the talk of a program takes."""
    for seq, (time, _, _) in enumerate(TALK, 1):
        rows(site, f"UPDATE chat_message SET created_at = date('now') || ' {time}:00' WHERE seq = {seq}")


if __name__ == "__main__":
    asyncio.run(main())
