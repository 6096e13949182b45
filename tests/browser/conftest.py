"""What the browser tests share: a Chromium, a site of two real server processes, and a room and names for each."""

import itertools
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from rig.staging import Place, standing_site
from tests.browser.chromium import launch
from tests.browser.people import Chat


def pytest_collection_modifyitems(items):
    """One event loop for all of them, because they share the browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def playwright():
    async with async_playwright() as playwright:
        yield playwright


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(playwright):
    browser = await launch(playwright)
    yield browser
    await browser.close()


@pytest.fixture(scope="session")
def shared_site(blueprint):
    """Two processes, which the tests that share them leave as they are."""
    with standing_site(blueprint) as site:
        yield site


_numbers = itertools.count()


@pytest.fixture
def place(shared_site):
    return Place(shared_site, next(_numbers))


@pytest_asyncio.fixture(loop_scope="session")
async def chat(place, browser):
    """Where the people of a test meet. Their browsers may not complain."""
    chat = Chat(place, browser)
    yield chat
    await chat.end()
    assert chat.complaints == []
