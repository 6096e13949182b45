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
