"""Chromium, started in one way for the tests and for the README's picture."""

import os

from playwright.async_api import Browser, Playwright

from rig import tools

# No sandbox, because tests may run as root; and nothing that Chromium would fetch for itself.
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


async def launch(playwright: Playwright) -> Browser:
    executable = os.environ.get("CHROMIUM") or tools.chromium()
    return await playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
