"""A link to one message of a long conversation: there, back, and at the end again."""

from playwright.async_api import expect

from tests.browser.people import Person
from tests.browser.test_accessibility import breaks_no_rule
from tests.browser.test_history import MAY_MOVE_PX, MESSAGES, distance_from_bottom_px, log, past, text_of
from tests.browser.test_messages import PHONE, READ_CLIPBOARD, does, rests_a_finger

__all__ = ["past"]

FROM_MIDDLE = """
(row) => {
  const [log, box] = [document.getElementById("messages"), row].map((each) => each.getBoundingClientRect());
  return Math.abs((box.top + box.bottom) / 2 - (log.top + log.bottom) / 2);
}
"""
GONE = "This message doesn't exist, or you can't see it."
TO_THE_END = "Jump to latest"


def address(chat, seq: object) -> str:
    return f"{chat.site.urls[0]}/rooms/{chat.room}/{seq}/"


def message(person: Person, seq: int):
    return person.page.locator(f'.message[data-seq="{seq}"]')


async def is_at(person: Person, seq: int) -> None:
    """The message is in the middle, marked, and has the focus."""
    await expect(message(person, seq)).to_be_focused()
    await expect(message(person, seq)).to_contain_text(f"message {seq}")
    assert await message(person, seq).evaluate(FROM_MIDDLE) <= MAY_MOVE_PX


async def goes_to(chat, person: Person, seq: int) -> None:
    await person.opens(address(chat, seq))
    await person.is_in()
    await is_at(person, seq)


async def test_a_link_shows_the_message_in_the_middle_of_what_was_said_around_it(past, chat):
    alice = await chat.enter("alice")
    await goes_to(chat, alice, 100)
    await expect(message(alice, 100)).to_have_attribute("data-marked", "")
    await expect(message(alice, MESSAGES)).to_have_count(0)
    await expect(message(alice, 100)).not_to_have_attribute("data-marked", "")


async def test_an_old_stretch_goes_on_in_both_directions_to_the_live_end(past, chat):
    alice, bob = await chat.enter("alice", process=0), await chat.enter("bob", process=1)
    await goes_to(chat, alice, 150)
    await log(alice).hover()
    while not await message(alice, 1).count():
        await alice.page.mouse.wheel(0, -5_000)
        await alice.page.evaluate("() => new Promise(requestAnimationFrame)")
    await expect(message(alice, MESSAGES)).to_have_count(0)
    while not await message(alice, MESSAGES).count():
        await alice.page.mouse.wheel(0, 5_000)
        await alice.page.evaluate("() => new Promise(requestAnimationFrame)")
    texts = [text.split("\n")[0] for text in await alice.reads()]
    assert texts == [f"message {n}" for n in range(1, MESSAGES + 1)]
    await alice.page.mouse.wheel(0, 50_000)
    await bob.says("news")
    await expect(alice.line("news")).to_be_in_viewport()


async def test_live_messages_wait_at_the_end_and_the_way_there_says_how_many(past, chat):
    alice, bob = await chat.enter("alice", process=0), await chat.enter("bob", process=1)
    await goes_to(chat, alice, 100)
    await expect(alice.page.get_by_role("button", name=TO_THE_END)).to_be_visible()
    before = await log(alice).evaluate("log => log.scrollTop")
    await bob.says("news", "more news")
    await expect(alice.page.get_by_role("button", name="2 new messages")).to_be_visible()
    await alice.sees_no("news")
    assert await log(alice).evaluate("log => log.scrollTop") == before
    await alice.presses("2 new messages")
    await expect(alice.line("more news")).to_be_in_viewport()
    assert await distance_from_bottom_px(alice) < MAY_MOVE_PX
    assert alice.page.url == f"{chat.site.urls[0]}/rooms/{chat.room}/"


async def test_what_is_changed_in_an_old_stretch_changes_there(past, chat):
    alice, bob = await chat.enter("alice", process=0), await chat.enter("bob", process=1)
    await goes_to(chat, alice, 100)
    await bob.opens(address(chat, 100).replace(chat.site.urls[0], chat.site.urls[1]))
    await bob.is_in()
    await does(bob, text_of(100), "React with 👍")
    await expect(message(alice, 100).locator(".reaction")).to_have_text(["👍 1"])


async def test_what_one_says_from_an_old_stretch_is_at_the_end(past, chat):
    alice = await chat.enter("alice")
    await goes_to(chat, alice, 100)
    await alice.says("From now")
    await expect(alice.line("From now")).to_be_in_viewport()
    await alice.sees_sent("From now")
    await expect(message(alice, MESSAGES)).to_be_in_viewport()


async def test_back_and_forward_go_between_places(past, chat):
    alice = await chat.enter("alice")
    await goes_to(chat, alice, 100)
    loaded = await alice.page.evaluate("performance.timeOrigin")
    time = message(alice, 98).locator('[data-part="link"]')
    await time.hover()
    await time.click()
    await is_at(alice, 98)
    assert alice.page.url == address(chat, 98)
    await log(alice).hover()
    await alice.page.mouse.wheel(0, -120)
    await alice.page.wait_for_function("history.state.place.topPx !== undefined")
    seen = await message(alice, 98).bounding_box()
    await alice.presses(TO_THE_END)
    await expect(message(alice, MESSAGES)).to_be_in_viewport()
    await alice.page.go_back()
    await expect(message(alice, 98)).to_be_in_viewport()
    assert abs((await message(alice, 98).bounding_box())["y"] - seen["y"]) <= MAY_MOVE_PX
    await alice.page.go_back()
    await expect(message(alice, 100)).to_be_in_viewport()
    assert alice.page.url == address(chat, 100)
    await alice.page.go_forward()
    await alice.page.go_forward()
    await expect(message(alice, MESSAGES)).to_be_in_viewport()
    assert await alice.page.evaluate("performance.timeOrigin") == loaded


async def test_a_message_that_is_not_there_is_a_calm_sentence_at_the_end_of_the_room(past, chat):
    alice = await chat.enter("alice")
    for seq in (MESSAGES + 1, 10**20):
        await alice.opens(address(chat, seq))
        await alice.is_in()
        await alice.finds(GONE)
        await expect(message(alice, MESSAGES)).to_be_in_viewport()
        assert alice.page.url == f"{chat.site.urls[0]}/rooms/{chat.room}/"
    await alice.presses("Close")
    await expect(alice.page.locator("#not-found")).to_be_hidden()


async def test_a_deleted_message_is_shown_as_such_where_it_was(past, chat):
    chat.place.rows(
        f"UPDATE chat_message SET deleted_at = created_at, text = '' WHERE room_id = {chat.place.room_id} AND seq = 100"
    )
    alice = await chat.enter("alice")
    await alice.opens(address(chat, 100))
    await alice.is_in()
    await expect(message(alice, 100)).to_be_focused()
    await expect(message(alice, 100)).to_contain_text("This message was deleted.")


async def test_a_link_survives_the_way_in(past, chat):
    alice = await chat.person("alice")
    await alice.opens(address(chat, 100))
    await alice.page.get_by_label("Your name").fill(alice.name)
    await alice.presses("Join as guest")
    await alice.is_in()
    await is_at(alice, 100)


async def test_a_link_is_copied_and_followed_in_the_page(past, chat):
    alice = await chat.enter("alice", permissions=["clipboard-read", "clipboard-write"])
    await goes_to(chat, alice, 100)
    await does(alice, text_of(100), "Copy link")
    await alice.finds("Link copied")
    assert await alice.page.evaluate(READ_CLIPBOARD) == address(chat, 100)
    await alice.says(address(chat, 50))
    await alice.sees_sent(address(chat, 50))
    await alice.page.get_by_role("link", name=address(chat, 50)).click()
    await is_at(alice, 50)
    assert len(alice.page.context.pages) == 1


async def test_a_link_is_copied_with_a_finger(chat):
    alice = await chat.enter("alice", permissions=["clipboard-read", "clipboard-write"], **PHONE)
    await alice.says_with_the_button("Meet at four?")
    await alice.sees_sent("Meet at four?")
    await rests_a_finger(alice, "Meet at four?")
    await alice.page.locator("#sheet").get_by_role("button", name="Copy link").tap()
    await alice.finds("Link copied")
    assert await alice.page.evaluate(READ_CLIPBOARD) == address(chat, 1)


async def test_an_old_stretch_breaks_no_rule(past, chat):
    alice = await chat.enter("alice")
    await goes_to(chat, alice, 100)
    await expect(alice.page.get_by_role("button", name=TO_THE_END)).to_be_visible()
    await breaks_no_rule(alice)
    await alice.opens(address(chat, MESSAGES + 1))
    await alice.finds(GONE)
    await breaks_no_rule(alice)


async def test_in_chinese(past, chat):
    alice = await chat.enter("alice")
    await alice.page.context.add_cookies([{"name": "django_language", "value": "zh-hans", "url": chat.site.urls[0]}])
    await alice.opens(address(chat, MESSAGES + 1))
    await alice.finds("这条消息不存在，或者你无权查看。")
    await expect(message(alice, MESSAGES)).to_be_in_viewport()
