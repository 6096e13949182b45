"""A site with a thousand rooms is as easy to find one's way in as one with five."""

import pytest
from playwright.async_api import expect

from rig.staging import Place, rows

ROOMS = """
INSERT INTO chat_room (slug, title, is_private, head, posts, floor, epoch, created_at)
WITH RECURSIVE numbers (n) AS (SELECT 1000 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1999)
SELECT 'hall-' || n, 'Hall ' || n, FALSE, 0, 0, 0, 'abcdefgh', CURRENT_TIMESTAMP FROM numbers
"""


@pytest.fixture
def place(start_site):
    site = start_site(1)
    rows(site, ROOMS)
    return Place(site, 0)


async def test_the_room_that_is_open_and_its_people_are_in_sight(chat):
    alice = await chat.enter("alice", room="hall-1900")
    rooms = alice.page.get_by_role("navigation", name="Rooms")
    await expect(rooms.get_by_role("link", name="Hall 1900")).to_be_in_viewport()
    await expect(rooms.get_by_role("link", name="Hall 1030")).to_have_count(0)
    await expect(alice.page.locator("#people > li")).to_be_in_viewport()
    await alice.page.set_viewport_size({"width": 390, "height": 844})
    await alice.presses("Rooms and people")
    await expect(rooms.get_by_role("link", name="Hall 1900")).to_be_in_viewport()


async def test_all_rooms_are_some_pages_away(chat):
    alice = await chat.enter("alice", room="hall-1900")
    await alice.page.get_by_role("link", name="All rooms").click()
    for _ in range(9):
        await alice.page.get_by_role("link", name="Next").click()
    await alice.page.get_by_role("link", name="Hall 1950").click()
    await alice.is_in()
    await expect(alice.page.get_by_role("heading", name="Hall 1950")).to_be_visible()
