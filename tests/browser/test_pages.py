"""The pages around the rooms: accounts, languages, the connection test."""

import re

from playwright.async_api import expect

from rig.proxy import Proxy
from rig.staging import PASSWORD


async def test_an_account_is_made_left_and_come_back_to(chat):
    ada = await chat.person("ada")
    await ada.opens(chat.site.urls[0])
    await ada.follows("Create an account")
    await ada.page.get_by_label("Name").fill(ada.name)
    await ada.page.get_by_label("Password").fill(PASSWORD)
    await ada.presses("Create account")
    await ada.finds(f"You are {ada.name}")
    await ada.follows("Sign out")
    await ada.presses("Sign out")
    await ada.finds("Join the conversation")
    await ada.signs_in(chat.site.urls[1], chat.room)
    assert ada.process == "t2"


async def test_a_guest_keeps_the_name_and_what_was_said(chat):
    ada = await chat.enter("ada")
    await ada.says("This stays mine")
    await ada.sees_sent("This stays mine")
    await ada.follows("Save my account")
    await ada.page.get_by_label("Password").fill(PASSWORD)
    await ada.presses("Create account")
    await ada.finds("Done. You can now sign in with this name on any device.")
    elsewhere = await (await chat.person("ada")).signs_in(chat.site.urls[1], chat.room)
    await elsewhere.sees_just("This stays mine")
    await expect(elsewhere.line("This stays mine")).to_have_attribute("data-own", "")


async def test_a_name_that_is_taken_is_said_at_the_field(chat):
    await chat.enter("ada")
    other = await chat.person("ada")
    await other.opens(chat.site.urls[0])
    await other.page.get_by_label("Your name").fill(other.name.upper())
    await other.presses("Join as guest")
    await other.finds(f"“{other.name.upper()}” is taken. If it's yours, sign in.")


async def test_the_pages_speak_the_language_of_the_browser(chat):
    ada = await chat.person("ada", locale="zh-CN")
    await ada.opens(f"{chat.site.urls[0]}/?next=/rooms/{chat.room}/")
    await ada.page.get_by_role("textbox").fill(ada.name)
    await ada.presses("以访客身份进入")
    await ada.is_told("在线")
    await ada.says("你好")
    await ada.sees_sent("你好")
    assert await ada.page.locator("html").get_attribute("lang") == "zh-hans"


async def test_the_language_can_be_changed(chat):
    ada = await chat.enter("ada")
    await ada.presses("简体中文")
    await ada.is_told("在线")
    await ada.presses("English")
    await ada.is_told("Online")


async def test_the_connection_test_finds_that_everything_works(chat):
    ada = await chat.person("ada")
    await ada.opens(f"{chat.site.urls[0]}/connection/")
    await ada.finds("Everything works.")
    await expect(ada.page.locator('.finding[data-verdict="good"]')).to_have_count(8)
    await expect(ada.page.locator('.finding[data-verdict="neutral"]')).to_have_count(1)
    await ada.presses("Test again")
    await ada.finds("Everything works.")


async def test_the_connection_test_finds_a_proxy_that_keeps_the_upgrade_to_itself(chat):
    ada = await chat.person("ada")
    chat.expect_complaints("WebSocket connection to '[^']+/ws/echo/' failed: .* Unexpected response code: 426")
    async with Proxy(chat.site.ws_urls[0], change=without_upgrade) as proxy:
        await ada.opens(proxy.url.replace("ws:", "http:").replace("/ws/", "/connection/"))
        await ada.finds("Something isn't working.")
        await expect(ada.page.locator('[data-finding="handshake"]')).to_contain_text("does not pass on the Upgrade")


def without_upgrade(piece: bytes) -> bytes:
    return re.sub(rb"(?m)^Upgrade: websocket\r\n", b"", piece)
