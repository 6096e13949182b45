"""The state of the connection in words, and the buttons that change it."""

from playwright.async_api import expect

from rig.staging import Place
from tests.browser.people import Chat

AN_HOUR = "01:00:00"
PROMISED_MS = 1_000


async def test_connecting_and_online(chat):
    alice = await chat.enter("alice")
    await alice.presses("Disconnect")
    chat.site.processes[0].freeze()
    await alice.presses("Connect")
    await alice.is_told("Connecting…")
    chat.site.processes[0].thaw()
    await alice.is_told("Online")


async def test_closed_by_hand_it_stays_closed_until_asked(chat):
    alice = await chat.person("alice")
    await alice.page.clock.install()
    await alice.enters(chat.site.urls[0], chat.room)
    bob = await chat.enter("bob", process=1)
    await alice.presses("Disconnect")
    await alice.is_told("Disconnected")
    await bob.says("Are you there?")
    await bob.sees_sent("Are you there?")
    await alice.page.evaluate("dispatchEvent(new Event('online')); dispatchEvent(new Event('pageshow'))")
    await alice.page.clock.fast_forward(AN_HOUR)
    await alice.is_told("Disconnected")
    await alice.sees_no("Are you there?")
    assert alice.connections == 1
    await alice.presses("Connect")
    await alice.is_told("Online")
    await alice.sees("Are you there?")


async def test_who_was_here_is_not_here_now_when_the_line_is_cut(chat):
    alice, bob = await chat.enter("alice", process=0), await chat.enter("bob", process=1)
    people = alice.page.get_by_role("complementary")
    await expect(people).to_have_accessible_name("Online 2")
    await alice.presses("Disconnect")
    await expect(people).to_have_accessible_name("Last known online 2")
    await expect(alice.page.locator(".room-here")).to_be_hidden()
    await bob.page.context.close()
    await alice.presses("Connect")
    await expect(people).to_have_accessible_name("Online 1")
    await expect(alice.page.locator(".room-here")).to_have_text("1 online")


async def test_connecting_twice_makes_one_connection(chat):
    alice = await chat.enter("alice")
    await alice.presses("Disconnect")
    await alice.page.evaluate("const button = document.getElementById('connect'); button.click(); button.click()")
    await alice.is_told("Online")
    await alice.page.evaluate("document.getElementById('connect').click()")
    await alice.says("Still one?")
    await alice.sees_sent("Still one?")
    assert alice.connections == 2


async def test_offline_and_back(chat):
    alice = await chat.enter("alice")
    await alice.presses("Disconnect")
    await alice.loses_the_network()
    await alice.presses("Connect")
    await alice.is_told("Offline")
    await alice.has_the_network_back()
    await alice.is_told("Online")


async def test_signed_out_in_another_tab(chat):
    alice = await chat.enter("alice", process=0)
    other_tab = await alice.opens_another_tab(f"{chat.site.urls[1]}/accounts/logout/")
    await other_tab.presses("Sign out")
    await expect(alice.page.locator("#status-text")).to_have_text("Signed out", timeout=PROMISED_MS)
    await alice.follows("Sign in again")
    await alice.finds("Join the conversation")


async def test_opened_elsewhere_and_taken_back(start_site, browser):
    chat = Chat(Place(start_site(CHAT_CONNECTIONS_PER_NAME="1"), 0), browser)
    alice = await chat.enter("alice", process=0)
    other_tab = await alice.opens_another_tab(f"{chat.site.urls[1]}/rooms/{chat.room}/")
    await other_tab.is_in()
    await alice.is_told("Too many tabs open – this one is paused")
    await alice.presses("Use this tab")
    await alice.is_told("Online")
    await other_tab.is_told("Too many tabs open – this one is paused")
    await alice.says("Here")
    await alice.sees_sent("Here")
    await chat.end()
    assert chat.complaints == []
