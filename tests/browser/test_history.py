"""A long conversation: on the way up, on the way down, and cleared away."""

from datetime import UTC, datetime, timedelta

import pytest_asyncio
from playwright.async_api import Locator, expect

from tests.browser.people import Person

MESSAGES = 300
MAY_MOVE_PX = 2

# Scrolls up, and waits until older messages are there: how far did what was being read move?
GO_UP = """
async (scroller) => {
  const list = document.getElementById("message-list");
  scroller.scrollTop = 150;
  const top = scroller.getBoundingClientRect().top;
  const anchor = [...list.children].find((line) => line.getBoundingClientRect().bottom > top);
  const before = anchor.getBoundingClientRect().top;
  const count = list.children.length;
  await new Promise((resolve) => {
    const look = () => list.children.length > count && resolve();
    new MutationObserver(look).observe(list, { childList: true });
  });
  const painted = () => new Promise(requestAnimationFrame);
  await painted().then(painted);
  return anchor.getBoundingClientRect().top - before;
}
"""


@pytest_asyncio.fixture(loop_scope="session")
async def past(place):
    """Numbered messages of one to three lines, over three days."""
    await write_past(place, MESSAGES)


async def write_past(place, count: int) -> None:
    async with place.client("historian"):
        """Somebody of that name is known now."""
    author = f"(SELECT id FROM accounts_user WHERE username = '{place.name('historian')}')"
    began = datetime(2026, 11, 1, 12, tzinfo=UTC)
    messages = ", ".join(
        f"({place.room_id}, {author}, {n}, {n}, {n}, '{n}', '{text_of(n)}', '{{}}',"
        f" '{began + timedelta(minutes=9 * n)}')"
        for n in range(1, count + 1)
    )
    columns = "room_id, author_id, seq, ordinal, version, nonce, text, reactions, created_at"
    place.rows(f"INSERT INTO chat_message ({columns}) VALUES {messages}")
    place.rows(f"UPDATE chat_room SET head = {count}, posts = {count} WHERE id = {place.room_id}")


def text_of(number: int) -> str:
    return "\n".join([f"message {number}", *["and a line"] * (number % 3)])


def log(person: Person) -> Locator:
    return person.page.locator("#messages")


async def distance_from_bottom_px(person: Person) -> float:
    return await log(person).evaluate("log => log.scrollHeight - log.scrollTop - log.clientHeight")


async def test_scrolling_up_loads_what_is_older_without_a_jump(past, chat):
    alice = await chat.enter("alice")
    await expect(alice.page.locator(".message").last).to_contain_text(f"message {MESSAGES}")
    assert await distance_from_bottom_px(alice) < MAY_MOVE_PX
    for _ in range(3):
        assert abs(await log(alice).evaluate(GO_UP)) <= MAY_MOVE_PX


async def test_scrolling_up_ends_at_the_beginning(past, chat):
    alice = await chat.enter("alice")
    await log(alice).hover()
    beginning = alice.page.get_by_text("This is the start of the room.")
    while not await beginning.is_visible():
        await alice.page.mouse.wheel(0, -20_000)
        await alice.page.evaluate("() => new Promise(requestAnimationFrame)")
    found = [text.split("\n")[0] for text in await alice.reads()]
    assert found == [f"message {n}" for n in range(1, MESSAGES + 1)]
    await expect(alice.page.locator(".day")).to_have_count(3)


async def test_a_long_way_back_and_down_again_never_fills_the_page(place, chat):
    await write_past(place, 1_000)
    alice = await chat.enter("alice")
    await log(alice).hover()
    first, last = (alice.page.locator(f'.message[data-seq="{seq}"]') for seq in (1, 1_000))
    for step, goal in ((-9_000, first), (9_000, last)):
        await expect(goal).to_have_count(0)
        while not await goal.count():
            await alice.page.mouse.wheel(0, step)
            await alice.page.evaluate("() => new Promise(requestAnimationFrame)")
            assert await alice.page.locator(".message").count() <= 600
            seqs = await alice.page.locator(".message").evaluate_all(
                "all => all.map(({ dataset }) => Number(dataset.seq))"
            )
            assert seqs == list(range(seqs[0], seqs[-1] + 1))
    await alice.page.mouse.wheel(0, 100_000)
    await expect(last).to_be_in_viewport()


async def test_new_messages_wait_below_what_is_being_read(past, chat):
    alice, bob = await chat.enter("alice", process=0), await chat.enter("bob", process=1)
    await log(alice).hover()
    await alice.page.mouse.wheel(0, -300)
    await expect(alice.page.locator(".message").last).not_to_be_in_viewport()
    before = await log(alice).evaluate("log => log.scrollTop")
    await bob.says("news")
    await expect(alice.page.get_by_role("button", name="1 new message")).to_be_visible()
    await bob.says("more news")
    await expect(alice.page.get_by_role("button", name="2 new messages")).to_be_visible()
    assert await log(alice).evaluate("log => log.scrollTop") == before
    await alice.presses("2 new messages")
    await expect(alice.line("more news")).to_be_in_viewport()
    await expect(alice.page.locator("#new-messages")).to_be_hidden()


async def test_who_stays_at_the_bottom_stays_there(past, chat):
    alice, bob = await chat.enter("alice", process=0), await chat.enter("bob", process=1)
    await bob.says("first\nof\nmany\nlines", "second")
    await expect(alice.line("second")).to_be_in_viewport()
    assert await distance_from_bottom_px(alice) < MAY_MOVE_PX


async def test_clear_empties_the_view_and_not_the_room(chat):
    alice, bob = await chat.enter("alice", process=0), await chat.enter("bob", process=1)
    await alice.says("one", "two")
    await bob.sees("one", "two")
    await bob.presses("Clear view")
    await bob.sees_just()
    await alice.says("three")
    await bob.sees_just("three")
    await alice.sees_just("one", "two", "three")
    await bob.presses("Show messages")
    await bob.sees_just("one", "two", "three")
