"""Takes the README's picture, of two guests who talk on two server processes: python -m tests.browser.picture

It needs a Chinese font: the name of the other language stands on the page.
"""

import asyncio
import os
from base64 import b64encode
from pathlib import Path

from playwright.async_api import Browser, async_playwright, expect

from rig.site import Blueprint, Site
from rig.staging import rows, standing_site
from tests.browser.chromium import launch
from tests.browser.people import Chat, Person
from tests.servers import SHARED_FOLDER, servers

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "lobby.png"
SHARPNESS = 2
HEIGHT = 720
DESK = {"viewport": {"width": 820, "height": HEIGHT}, "device_scale_factor": SHARPNESS}
PHONE = {"viewport": {"width": 390, "height": HEIGHT}, "device_scale_factor": SHARPNESS, "color_scheme": "dark"}

ROOMS = {"garden": "Garden", "kitchen": "Kitchen", "travel": "Travel plans"}
TALK = [
    ("09:02", "Mei", "Good morning! Are the beans watered?"),
    ("09:04", "Jonas", "They are, and the tomatoes too."),
    ("09:05", "Mei", "Thank you! Then I only bring the coffee."),
    ("09:11", "Jonas", "Tea for me! No signal on the train, yet I missed nothing."),
    ("09:13", "Mei", "I closed the laptop in the middle of a sentence. It was still there afterwards."),
    ("09:26", "Jonas", "See you at ten, at the gate?"),
    ("09:27", "Mei", "At ten!"),
]
BEING_WRITTEN = "I bring the scones"

SIDE_BY_SIDE = """<!doctype html>
<style>
  body { display: flex; gap: 28px; width: fit-content; margin: 0; padding: 28px; background: #dfe3e2; }
  img { display: block; border-radius: 12px; box-shadow: 0 0 0 1px rgb(0 0 0 / 9%%), 0 6px 16px rgb(10 30 28 / 12%%); }
</style>
<body>%s</body>
"""


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
    mei = await chat.enter("Mei", process=0, **DESK)
    jonas = await chat.enter("Jonas", process=1, **PHONE)
    await talk({"Mei": mei, "Jonas": jonas})
    move_to_the_morning(site)
    for person in (mei, jonas):
        await person.reloads()
        await person.is_in()
        await person.sees_people("Jonas", "Mei")
    assert mei.process != jonas.process
    await jonas.composer.press_sequentially(BEING_WRITTEN)
    await expect(mei.page.locator("#typing")).to_have_text("Jonas is typing…")
    PICTURE.write_bytes(await side_by_side(browser, mei, jonas))


async def talk(people: dict[str, Person]) -> None:
    for _, name, text in TALK:
        await people[name].says(text)
        for person in people.values():
            await person.sees_sent(text)


def move_to_the_morning(site: Site) -> None:
    """The talk took as long as the talk of a program takes. The servers remember it, and start anew."""
    for process in range(len(site.processes)):
        site.kill(process)
    for seq, (time, _, _) in enumerate(TALK, 1):
        rows(site, f"UPDATE chat_message SET created_at = date('now') || ' {time}:00' WHERE seq = {seq}")
    for process in range(len(site.processes)):
        site.start(process)


async def side_by_side(browser: Browser, *people: Person) -> bytes:
    """Their windows in one picture."""
    windows = [await person.page.screenshot() for person in people]
    page = await browser.new_page(device_scale_factor=SHARPNESS, viewport={"width": 1600, "height": 900})
    await page.set_content(SIDE_BY_SIDE % "".join(map(image, windows)))
    return await page.locator("body").screenshot()


def image(png: bytes) -> str:
    return f'<img height="{HEIGHT}" src="data:image/png;base64,{b64encode(png).decode()}">'


if __name__ == "__main__":
    asyncio.run(main())
