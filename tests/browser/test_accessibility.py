"""No page breaks a rule of axe, light or dark, on a phone or on a desk."""

import pytest
from axe_playwright_python.async_playwright import Axe

from .people import Person

SIZES = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1280, "height": 800}}
SCHEMES = ["light", "dark"]
OPEN_PAGES = ["/", "/accounts/login/", "/accounts/signup/", "/connection/"]
PAGES_OF_GUESTS = ["/", "/keep/", "/accounts/logout/", "/connection/"]

axe = Axe()


async def breaks_no_rule(person: Person) -> None:
    """Nothing is judged while it is fading in."""
    await person.page.evaluate("() => Promise.all(document.getAnimations().map((each) => each.finish()))")
    found = await axe.run(person.page)
    assert found.violations_count == 0, f"{person.page.url}\n{found.generate_report()}"


@pytest.fixture(params=SCHEMES)
def scheme(request):
    return request.param


@pytest.fixture(params=SIZES)
def viewport(request):
    return SIZES[request.param]


async def test_the_ways_in(chat, scheme, viewport):
    ada = await chat.person("ada", color_scheme=scheme, viewport=viewport)
    for path in OPEN_PAGES:
        await ada.opens(chat.site.urls[0] + path)
        await breaks_no_rule(ada)
    await ada.opens(chat.site.urls[0])
    await ada.presses("Enter")
    await breaks_no_rule(ada)


async def test_the_pages_of_somebody_who_is_in(chat, scheme, viewport):
    ada = await chat.enter("ada", color_scheme=scheme, viewport=viewport)
    for path in PAGES_OF_GUESTS:
        await ada.opens(chat.site.urls[0] + path)
        await breaks_no_rule(ada)


async def test_a_room(chat, scheme, viewport):
    ada = await chat.enter("ada", color_scheme=scheme, viewport=viewport)
    await breaks_no_rule(ada)
    await ada.says("Hello", "See https://example.org/ and say what you think")
    await ada.loses_the_network()
    await ada.says("On its way")
    await ada.is_told("Offline")
    await breaks_no_rule(ada)


async def test_the_drawer_of_a_phone(chat, scheme):
    ada = await chat.enter("ada", color_scheme=scheme, viewport=SIZES["phone"])
    await ada.presses("Rooms and people")
    await breaks_no_rule(ada)
    await ada.presses("Close")
    await breaks_no_rule(ada)
