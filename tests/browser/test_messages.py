"""What people do with messages that are there: react, edit, delete, copy; with a pointer, with keys, with a finger."""

from playwright.async_api import Locator, expect

from tests.browser.people import Person

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
READ_CLIPBOARD = "navigator.clipboard.readText()"


async def hovers(person: Person, text: str) -> Locator:
    """The toolbar of that message."""
    await person.line(text).hover()
    return person.line(text).get_by_role("toolbar")


async def does(person: Person, text: str, deed: str) -> None:
    await (await hovers(person, text)).get_by_role("button", name=deed).click()


async def sees_reactions(person: Person, text: str, *reactions: str) -> None:
    await expect(person.line(text).locator(".reaction")).to_have_text(list(reactions))


async def rests_a_finger(person: Person, text: str) -> None:
    """Until the sheet is there."""
    box = await person.line(text).bounding_box()
    assert box is not None
    finger = {"x": box["x"] + 80, "y": box["y"] + box["height"] / 2}
    chromium = await person.page.context.new_cdp_session(person.page)
    await chromium.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [finger]})
    await expect(person.page.locator("#sheet")).to_be_visible()
    await chromium.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


async def test_people_react_and_see_who_did(chat):
    alice, bob = await chat.enter("alice", process=0), await chat.enter("bob", process=1)
    await alice.says("Lunch?")
    await bob.sees_sent("Lunch?")
    await does(bob, "Lunch?", "React with 👍")
    for person in (alice, bob):
        await sees_reactions(person, "Lunch?", "👍 1")
    mine = alice.line("Lunch?").locator(".reaction")
    await expect(mine).to_have_attribute("aria-pressed", "false")
    await mine.click()
    await sees_reactions(bob, "Lunch?", "👍 2")
    await expect(mine).to_have_attribute("aria-pressed", "true")
    await expect(mine).to_have_attribute("title", f"👍 \u2068{bob.name}\u2069, \u2068{alice.name}\u2069")
    await bob.line("Lunch?").locator(".reaction").click()
    await sees_reactions(alice, "Lunch?", "👍 1")
    await mine.click()
    for person in (alice, bob):
        await sees_reactions(person, "Lunch?")


async def test_any_emoji_can_be_found_by_its_name_and_by_the_keyboard(chat):
    alice = await chat.enter("alice")
    await alice.says("Shipped")
    await alice.sees_sent("Shipped")
    await does(alice, "Shipped", "Add a reaction")
    search = alice.page.get_by_label("Search emoji")
    await expect(search).to_be_focused()
    await search.fill("no such thing")
    await alice.finds("No emoji found.")
    await search.fill("rocket")
    await expect(alice.page.locator(".picker-emoji")).to_have_text(["🚀"])
    await search.press("Enter")
    await sees_reactions(alice, "Shipped", "🚀 1")
    await does(alice, "Shipped", "Add a reaction")
    await search.press("ArrowDown")
    await alice.page.keyboard.press("ArrowRight")
    await alice.page.keyboard.press("Enter")
    await expect(alice.line("Shipped").locator(".reaction")).to_have_count(2)
    await does(alice, "Shipped", "Add a reaction")
    await alice.page.keyboard.press("Escape")
    await expect(alice.page.locator("#picker")).to_be_hidden()


async def test_ones_own_message_is_edited_where_one_writes_and_the_draft_waits(chat):
    alice, bob = await chat.enter("alice", process=0), await chat.enter("bob", process=1)
    await alice.says("Helo", "Another")
    await alice.sees_sent("Helo", "Another")
    await alice.writes("A draft")
    await does(alice, "Helo", "Edit")
    await expect(alice.composer).to_have_value("Helo")
    await alice.composer.press("Escape")
    await expect(alice.composer).to_have_value("A draft")
    await does(alice, "Helo", "Edit")
    await alice.says("Hello")
    await expect(alice.composer).to_have_value("A draft")
    for person in (alice, bob):
        await person.sees_just("Hello", "Another")
        await expect(person.line("Hello").locator(".message-note")).to_have_text("edited")
    await expect(await hovers(bob, "Hello")).to_be_visible()
    await expect(bob.page.get_by_role("button", name="Edit")).to_have_count(0)
    await expect(bob.page.get_by_role("toolbar").get_by_role("button", name="Delete")).to_have_count(0)


async def test_the_arrow_up_edits_the_latest_of_ones_own(chat):
    alice, bob = await chat.enter("alice", process=0), await chat.enter("bob", process=1)
    await alice.says("Mine", "See you at thre")
    await bob.says("Fine")
    await alice.sees("Fine")
    await alice.composer.press("ArrowUp")
    await expect(alice.composer).to_have_value("See you at thre")
    await alice.composer.press("End")
    await alice.composer.press_sequentially("e")
    await alice.composer.press("Enter")
    await bob.sees_just("Mine", "See you at three", "Fine")
    await expect(alice.composer).to_have_value("")


async def test_a_message_is_deleted_after_one_question(chat):
    alice, bob = await chat.enter("alice", process=0), await chat.enter("bob", process=1)
    await alice.says("Oops")
    await bob.sees_sent("Oops")
    await does(alice, "Oops", "Delete")
    question = alice.page.get_by_role("dialog", name="Delete this message?")
    await expect(question.get_by_text("Oops")).to_be_visible()
    await question.get_by_role("button", name="Cancel").click()
    await alice.sees_just("Oops")
    await does(alice, "Oops", "Delete")
    await question.get_by_role("button", name="Delete").click()
    for person in (alice, bob):
        await person.sees_just("This message was deleted.")


async def test_a_moderator_deletes_what_others_wrote(chat):
    alice, mia = await chat.enter("alice", process=0), await chat.enter("mia", process=1)
    chat.site.manage("member", chat.room, mia.name, "moderator")
    await alice.says("Buy cheap watches")
    await mia.sees_sent("Buy cheap watches")
    await mia.reloads()
    await does(mia, "Buy cheap watches", "Delete")
    await mia.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await alice.sees_just("This message was deleted.")


async def test_what_is_done_without_a_network_is_done_when_it_is_back(chat):
    alice, bob = await chat.enter("alice", process=0), await chat.enter("bob", process=1)
    await alice.says("First", "Second")
    await bob.sees_sent("First", "Second")
    await alice.loses_the_network()
    await alice.is_told("Offline")
    await does(alice, "First", "Edit")
    await alice.says("The first")
    await does(alice, "Second", "React with 👍")
    await alice.sees_just("The first", "Second")
    await sees_reactions(alice, "Second", "👍 1")
    await alice.has_the_network_back()
    await bob.sees_just("The first", "Second")
    await sees_reactions(bob, "Second", "👍 1")
    await alice.sees_sent("The first")


async def test_a_change_that_is_refused_says_so_and_can_be_let_go(chat):
    alice, bob = await chat.enter("alice", process=0), await chat.enter("bob", process=1)
    await alice.says("Gone soon")
    await alice.sees_sent("Gone soon")
    await bob.sees_sent("Gone soon")
    await bob.loses_the_network()
    await bob.is_told("Offline")
    await does(bob, "Gone soon", "React with 👍")
    await does(alice, "Gone soon", "Delete")
    await alice.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await alice.sees_just("This message was deleted.")
    await bob.has_the_network_back()
    await bob.finds("Not changed: the message was deleted.")
    await bob.presses("Discard")
    await expect(bob.page.get_by_text("Not changed")).to_have_count(0)


async def test_a_text_is_copied(chat):
    alice = await chat.enter("alice", permissions=["clipboard-read", "clipboard-write"])
    await alice.says("Line one")
    await alice.sees_sent("Line one")
    await does(alice, "Line one", "Copy text")
    await alice.finds("Copied")
    assert await alice.page.evaluate(READ_CLIPBOARD) == "Line one"


async def test_with_keys_alone_one_reaches_a_message_and_what_can_be_done_with_it(chat):
    alice = await chat.enter("alice")
    await alice.says("One", "Two")
    await alice.sees_sent("One", "Two")
    await alice.page.locator("#messages").focus()
    await alice.page.keyboard.press("ArrowUp")
    await expect(alice.line("Two")).to_be_focused()
    await expect(alice.line("Two").get_by_role("toolbar")).to_be_visible()
    await alice.page.keyboard.press("Tab")
    await expect(alice.line("Two").get_by_role("button", name="React with 👍")).to_be_focused()
    await alice.page.keyboard.press("ArrowRight")
    await alice.page.keyboard.press("Enter")
    await sees_reactions(alice, "Two", "❤️ 1")


async def test_a_finger_that_rests_on_a_message_opens_what_can_be_done_with_it(chat):
    alice, bob = await chat.enter("alice", process=0, **PHONE), await chat.enter("bob", process=1)
    await alice.says_with_the_button("Meet at four?")
    await bob.sees_sent("Meet at four?")
    await does(bob, "Meet at four?", "React with 👍")
    await sees_reactions(alice, "Meet at four?", "👍 1")
    await rests_a_finger(alice, "Meet at four?")
    sheet = alice.page.locator("#sheet")
    await expect(sheet.get_by_text(f"👍 \u2068{bob.name}\u2069")).to_be_visible()
    await sheet.get_by_role("button", name="React with 🎉").tap()
    await sees_reactions(bob, "Meet at four?", "👍 1", "🎉 1")
    await expect(sheet).to_be_hidden()
    await rests_a_finger(alice, "Meet at four?")
    await sheet.get_by_role("button", name="Edit").tap()
    await alice.says_with_the_button("Meet at five?")
    await bob.sees("Meet at five?")
