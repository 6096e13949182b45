"""Two people, each at a browser of their own and on a server process of their own."""

import re

from playwright.async_api import expect

TIME = re.compile(r"^\d{1,2}:\d\d [AP]M$")


async def test_two_people_talk_in_the_lobby(chat):
    alice = await chat.enter("alice", process=0, room="lobby")
    bob = await chat.enter("bob", process=1, room="lobby")
    assert (alice.process, bob.process) == ("t1", "t2")
    await alice.says("Hello Bob")
    await bob.sees("Hello Bob")
    await bob.says("Hello Alice", "How are you?")
    for person in (alice, bob):
        await person.sees_just("Hello Bob", "Hello Alice", "How are you?")


async def test_a_message_has_its_author_its_time_and_a_mark_when_it_is_mine(chat):
    alice, bob = await chat.enter("alice", process=0), await chat.enter("bob", process=1)
    await alice.says("Hello")
    await alice.sees_sent("Hello")
    for person in (alice, bob):
        await expect(person.line("Hello").locator(".message-author")).to_have_text(alice.name)
        await expect(person.line("Hello").locator(".message-time")).to_have_text(TIME)
        await expect(person.page.locator(".day")).to_have_count(1)
    assert await alice.line("Hello").get_attribute("data-own") == ""
    assert await bob.line("Hello").get_attribute("data-own") is None


async def test_the_page_says_who_is_here(chat):
    alice = await chat.enter("alice", process=0)
    await alice.sees_people(alice.name)
    bob = await chat.enter("bob", process=1)
    for person in (alice, bob):
        await person.sees_people(alice.name, bob.name)


async def test_the_page_says_who_is_typing(chat):
    alice, bob = await chat.enter("alice", process=0), await chat.enter("bob", process=1)
    await alice.composer.press_sequentially("Well")
    await expect(bob.page.locator("#typing")).to_have_text(f"\u2068{alice.name}\u2069 is typing…")
    await alice.composer.press("Enter")
    await bob.sees("Well")
    await expect(bob.page.locator("#typing")).to_have_text("")


async def test_what_is_written_is_only_ever_text(chat):
    alice, bob = await chat.enter("alice", process=0), await chat.enter("bob", process=1)
    text = "<img src=x onerror=alert(1)> & see https://example.org/a?b=1."
    await alice.says(text)
    await bob.sees_just(text)
    await expect(bob.page.get_by_role("link", name="https://example.org/a?b=1")).to_be_visible()
    assert await bob.page.locator(".message img").count() == 0


async def test_shift_and_enter_begin_a_new_line(chat):
    alice = await chat.enter("alice")
    await alice.writes("One")
    await alice.composer.press("Shift+Enter")
    await alice.composer.press_sequentially("Two")
    await alice.composer.press("Enter")
    await expect(alice.page.locator(".message")).to_have_count(1)
    assert await alice.reads() == ["One\nTwo"]


NOTE_LENGTHS = """text => {
    window.lengths = [];
    text.addEventListener("input", () => window.lengths.push(text.textLength));
    window.addEventListener("input", () => window.lengths.push(text.textLength), { capture: true });
}"""


async def test_of_what_is_pasted_the_browser_lays_out_no_more_than_is_kept(chat):
    alice = await chat.enter("alice")
    await alice.writes("See: ")
    await alice.composer.evaluate(NOTE_LENGTHS)
    await alice.page.keyboard.insert_text("pasted " * 10_000)
    await expect(alice.composer).to_have_value(("See: " + "pasted " * 10_000)[:16_000])
    await expect(alice.page.locator("#composer-counter")).to_have_text("Too long: the end was left out")
    await expect(alice.page.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    assert max(await alice.page.evaluate("window.lengths"), default=0) <= 16_000
    await alice.writes("See above")
    await alice.composer.press("Enter")
    await alice.sees_just("See above")


async def test_each_line_that_is_written_has_its_own_direction(chat):
    """By its style: with dir="auto" a browser looks through all of a long text, again at each change."""
    alice = await chat.enter("alice")
    await expect(alice.composer).to_have_css("unicode-bidi", "plaintext")
    await expect(alice.composer).not_to_have_attribute("dir", "auto")


async def test_the_enter_that_ends_a_composition_sends_nothing(chat):
    alice = await chat.enter("alice")
    await alice.composer.focus()
    chromium = await alice.page.context.new_cdp_session(alice.page)
    await chromium.send("Input.imeSetComposition", {"text": "にほん", "selectionStart": 3, "selectionEnd": 3})
    enter = {"type": "rawKeyDown", "windowsVirtualKeyCode": 229, "key": "Enter", "code": "Enter"}
    await chromium.send("Input.dispatchKeyEvent", enter)
    await chromium.send("Input.insertText", {"text": "日本"})
    await expect(alice.composer).to_have_value("日本")
    await alice.composer.press("Enter")
    await alice.sees_just("日本")


async def test_on_a_phone_enter_begins_a_line_and_its_key_says_so(chat):
    alice = await chat.enter("alice", has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    await alice.writes("One")
    await alice.composer.press("Enter")
    await alice.composer.press_sequentially("Two")
    await expect(alice.composer).to_have_value("One\nTwo")
    await expect(alice.composer).to_have_attribute("enterkeyhint", "enter")
    await alice.page.get_by_role("button", name="Send", exact=True).click()
    await expect(alice.page.locator(".message")).to_have_count(1)
    assert await alice.reads() == ["One\nTwo"]
