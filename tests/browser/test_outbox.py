"""What is written and not yet sent: offline, across a reload, in two tabs, and when it is refused."""

from playwright.async_api import WebSocketRoute, expect

from rig.staging import locked_database
from tests.browser.people import Chat, Person


async def test_what_is_written_offline_is_sent_once_afterwards(chat):
    alice, bob = await chat.enter("alice", process=0), await chat.enter("bob", process=1)
    await alice.loses_the_network()
    await alice.says("one", "two")
    await alice.sees_on_its_way("one", "two")
    await bob.says("meanwhile")
    await alice.is_told("Offline")
    await alice.says("three")
    await alice.has_the_network_back()
    for person in (alice, bob):
        await person.sees_just("meanwhile", "one", "two", "three")
        await person.sees_sent("meanwhile", "one", "two", "three")
    assert chat.place.texts == ["meanwhile", "one", "two", "three"]


async def test_a_message_on_its_way_survives_a_reload(chat):
    alice = await chat.enter("alice")
    with locked_database(chat.site):
        await alice.says("one", "two")
        await alice.sees_on_its_way("one", "two")
        await alice.reloads()
        await alice.sees_on_its_way("one", "two")
        await expect(alice.line("one").get_by_text("Sending…")).to_be_visible()
    await alice.sees_sent("one", "two")
    await alice.sees_just("one", "two")
    assert chat.place.texts == ["one", "two"]


async def test_a_message_whose_acknowledgement_got_lost_is_sent_again_and_is_there_once(chat):
    alice = await chat.person("alice")
    await alice.page.route_web_socket("**/ws/", FirstLineIsDeaf())
    await alice.enters(chat.site.urls[0], chat.room)
    bob = await chat.enter("bob", process=1)
    await alice.says("once")
    await bob.sees("once")
    await alice.sees_on_its_way("once")
    await alice.reloads()
    await alice.says("twice")
    for person in (alice, bob):
        await person.sees_just("once", "twice")
        await person.sees_sent("once", "twice")


class FirstLineIsDeaf:
    """On a browser's first connection it hears nothing of what it sent, neither the acknowledgement nor the message."""

    def __init__(self) -> None:
        self._is_first = True

    def __call__(self, line: WebSocketRoute) -> None:
        server = line.connect_to_server()
        if self._is_first:
            server.on_message(lambda frame: None if '"nonce"' in str(frame) else line.send(frame))
        self._is_first = False


async def test_half_a_character_does_not_hold_up_what_comes_after_it(chat):
    alice, bob = await chat.enter("alice", process=0), await chat.enter("bob", process=1)
    await alice.writes_by_script(r"half \ud83d emoji")
    await alice.composer.press("Enter")
    await alice.says("and on")
    for person in (alice, bob):
        await person.sees_just("half \ufffd emoji", "and on")
        await person.sees_sent("half \ufffd emoji", "and on")


async def test_two_tabs_show_and_send_the_same_message_once(chat):
    alice = await chat.enter("alice")
    other_tab = await alice.opens_another_tab()
    await other_tab.is_in()
    await alice.loses_the_network()
    await alice.says("from the first")
    await other_tab.sees_on_its_way("from the first")
    await other_tab.says("from the second")
    await alice.sees_on_its_way("from the second")
    await alice.has_the_network_back()
    for tab in (alice, other_tab):
        await tab.sees_just("from the first", "from the second")
        await tab.sees_sent("from the first", "from the second")
    assert chat.place.texts == ["from the first", "from the second"]


async def test_a_draft_survives_a_reload(chat):
    alice = await chat.enter("alice")
    await alice.writes("I was about to say")
    await alice.sees_the_draft_kept()
    await alice.reloads()
    await expect(alice.composer).to_have_value("I was about to say")
    await alice.composer.press("Enter")
    await alice.sees_sent("I was about to say")
    await alice.reloads()
    await alice.is_in()
    await alice.sees_just("I was about to say")
    await expect(alice.composer).to_have_value("")


async def test_a_message_to_a_room_that_was_taken_away_can_be_sent_again(chat):
    alice = await somebody_whose_room_is_taken_away(chat)
    await alice.says("May I?")
    await alice.finds("Not sent: this room was deleted.")
    give_a_place(chat, alice)
    await alice.presses("Retry")
    await alice.sees_sent("Hello", "May I?")


async def test_a_message_to_a_room_that_was_taken_away_can_be_deleted(chat):
    alice = await somebody_whose_room_is_taken_away(chat)
    await alice.says("May I?")
    await alice.finds("Not sent: this room was deleted.")
    await alice.presses("Delete")
    await alice.sees_just("Hello")


async def test_in_a_room_that_was_taken_away_nobody_is_shown_as_here(chat):
    alice = await somebody_whose_room_is_taken_away(chat)
    await alice.finds("Last known online")


async def somebody_whose_room_is_taken_away(chat: Chat) -> Person:
    chat.room = chat.place.new_room(private=True)
    alice = await chat.enter("alice", room="lobby")
    give_a_place(chat, alice)
    await alice.opens(f"{chat.site.urls[0]}/rooms/{chat.room}/")
    await alice.says("Hello")
    await alice.sees_sent("Hello")
    chat.site.manage("member", chat.room, alice.name, "none")
    await alice.finds("You no longer have access to this room.")
    return alice


def give_a_place(chat: Chat, person: Person) -> None:
    chat.place.rows(
        "INSERT INTO chat_membership (room_id, user_id, role, read_ordinal, has_reacted)"
        " SELECT chat_room.id, accounts_user.id, 'member', 0, FALSE FROM chat_room, accounts_user"
        f" WHERE slug = '{chat.room}' AND username = '{person.name}'"
        " ON CONFLICT (room_id, user_id) DO UPDATE SET role = 'member'"  # how far they had read may be kept meanwhile
    )
