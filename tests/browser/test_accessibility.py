"""No page breaks a rule of axe, light or dark, on a phone or on a desk."""

from itertools import product

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.browser.people import Person

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
SCHEMES = ["light", "dark"]

axe = Axe()


async def breaks_no_rule(person: Person, *viewports: dict[str, int]) -> None:
    for scheme, viewport in product(SCHEMES, viewports or [PHONE, DESK]):
        await person.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        await person.page.set_viewport_size(viewport)
        await has_come_to_rest(person)
        found = await axe.run(person.page)
        assert found.violations_count == 0, f"{scheme} {viewport} {person.page.url}\n{found.generate_report()}"


async def has_come_to_rest(person: Person) -> None:
    """Nothing is judged while it is fading in."""
    await person.page.evaluate("() => Promise.all(document.getAnimations().map((each) => each.finished))")


async def test_the_ways_in(chat):
    ada = await chat.person("ada")
    for path in ("/accounts/login/", "/accounts/signup/", "/"):
        await ada.opens(chat.site.urls[0] + path)
        await breaks_no_rule(ada)
    await ada.presses("Join as guest")
    await expect(ada.page.locator("[aria-invalid=true]")).to_be_visible()
    await breaks_no_rule(ada)


async def test_the_pages_of_somebody_who_is_in(chat):
    ada = await chat.enter("ada")
    for path in ("/", "/keep/", "/accounts/logout/"):
        await ada.opens(chat.site.urls[0] + path)
        await breaks_no_rule(ada)


async def test_the_connection_test(chat):
    ada = await chat.person("ada")
    await ada.opens(f"{chat.site.urls[0]}/connection/")
    await ada.finds("Everything works.")
    await breaks_no_rule(ada)


async def test_a_room(chat):
    ada = await chat.enter("ada")
    await breaks_no_rule(ada)
    await ada.says("Hello")
    await ada.loses_the_network()
    await ada.says("On its way to https://example.org/")
    await ada.is_told("Offline")
    await ada.finds("Last known online")
    await breaks_no_rule(ada)


async def test_the_drawer_of_a_phone(chat):
    ada = await chat.enter("ada", viewport=PHONE)
    await ada.presses("Rooms and people")
    await breaks_no_rule(ada, PHONE)
    await ada.presses("Close")
    await expect(ada.page.get_by_role("navigation", name="Rooms")).to_be_hidden()


async def test_what_can_be_done_with_a_message(chat):
    ada = await chat.enter("ada")
    await ada.says("Hello")
    await ada.sees_sent("Hello")
    await ada.line("Hello").focus()
    await ada.page.keyboard.press("Tab")
    await ada.page.keyboard.press("Enter")
    await expect(ada.line("Hello").locator(".reaction")).to_have_count(1)
    await breaks_no_rule(ada)
    await ada.page.get_by_role("toolbar").get_by_role("button", name="Add a reaction").click()
    await expect(ada.page.get_by_role("button", name="rocket", exact=True)).to_be_attached()
    await breaks_no_rule(ada)
    await ada.page.keyboard.press("Escape")
    await ada.page.get_by_role("toolbar").get_by_role("button", name="Delete").click()
    await breaks_no_rule(ada)
