"""Messages that are more than their text: Markdown, code with a button that copies it, links, emoji."""

from playwright.async_api import expect

READ_CLIPBOARD = "navigator.clipboard.readText()"
REPORT = """The **release** of `v2.4`:

1. ~~freeze~~ done
2. notes, see www.example.org/notes

> Who tests it?

```python
def answer(question: str) -> int:
    return 42  # of course
```

| who | what |
|:-:|--:|
| Ada | tests |
"""


def text_of(person, words):
    return person.line(words).locator('[data-part="text"]')


async def test_people_write_markdown_and_everybody_sees_it(chat):
    alice = await chat.enter("alice", permissions=["clipboard-read", "clipboard-write"])
    bob = await chat.enter("bob", process=1)
    await alice.page.evaluate(f"navigator.clipboard.writeText({REPORT!r})")
    await alice.composer.focus()
    await alice.page.keyboard.press("ControlOrMeta+v")
    await alice.page.keyboard.press("Enter")
    for person in (alice, bob):
        said = text_of(person, "release")
        await expect(said.locator("strong")).to_have_text("release")
        await expect(said.locator("li s")).to_have_text("freeze")
        await expect(said.locator("blockquote")).to_have_text("Who tests it?")
        await expect(said.locator("pre .k").first).to_have_text("def")
        await expect(said.locator("td").last).to_have_attribute("data-align", "right")
        await expect(said.get_by_role("link")).to_have_attribute("href", "https://www.example.org/notes")
    await text_of(alice, "release").get_by_role("button", name="Copy code").click()
    copied = await alice.page.evaluate(READ_CLIPBOARD)
    assert copied == "def answer(question: str) -> int:\n    return 42  # of course\n"


async def test_what_is_edited_looks_as_it_was_edited(chat):
    alice, bob = await chat.enter("alice"), await chat.enter("bob", process=1)
    await alice.says("It is *done*")
    await expect(text_of(bob, "It is done").locator("em")).to_have_text("done")
    await alice.composer.press("ArrowUp")
    await expect(alice.composer).to_have_value("It is *done*")
    await alice.writes("It is **done**")
    await alice.page.keyboard.press("Enter")
    for person in (alice, bob):
        await expect(text_of(person, "It is done").locator("strong")).to_have_text("done")
        await expect(text_of(person, "It is done").locator("em")).to_have_count(0)


async def test_an_emoji_is_put_where_one_is_writing(chat):
    alice = await chat.enter("alice")
    await alice.writes("Well done!")
    for _ in range(6):
        await alice.composer.press("ArrowLeft")
    await alice.presses("Emoji")
    await alice.page.get_by_label("Search emoji").fill("rocket")
    await expect(alice.page.locator(".picker-emoji")).to_have_text(["🚀"])
    await alice.page.keyboard.press("Enter")
    await expect(alice.composer).to_be_focused()
    await expect(alice.composer).to_have_value("Well🚀 done!")
    await alice.composer.press("Enter")
    await alice.sees_sent("Well🚀 done!")


async def test_a_few_emoji_are_large_and_nothing_runs(chat):
    alice = await chat.enter("alice")
    await alice.says(":tada: 🎉", "<img src=x onerror=alert(1)> **b**")
    await expect(text_of(alice, "🎉 🎉").first).to_have_attribute("data-emoji", "")
    await expect(text_of(alice, "b").locator("img")).to_have_count(0)
    await expect(text_of(alice, "b").locator("strong")).to_have_text("b")
