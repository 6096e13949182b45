"""docs/protocol.md is spoken to a running server, and has to be answered as it says."""

import json
import re
from pathlib import Path

from rig.client import ChatClient
from rig.raw_socket import RawSocket
from rig.visitor import Visitor

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "protocol.md").read_text()
BLOCK = re.compile(r"^```json (send|answer)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLE = re.compile(r"^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TRANSCRIPT = re.compile(r"^```\n\$ websocat '(.*?)'\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANY = "…"
HOST = "127.0.0.1:8000"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")

# What differs from one conversation to the next.
NUMBERS = {"head", "last", "ordinal", "read", "seq", "version", "retry_after"}
NAMES_OF_THINGS = {"connection", "process"}
TIMES = {"now", "created_at", "edited_at"}


async def test_every_request_is_answered_as_shown(site):
    blocks = [(kind, json.loads(text)) for kind, text in BLOCK.findall(PAGE)]
    assert len(blocks) > 15
    async with ChatClient(f"{site.ws_urls[0]}?name=alice") as alice:
        epoch = None
        for (kind, frame), (next_kind, answer) in zip(blocks, [*blocks[1:], ("send", {})], strict=True):
            if kind == "send":
                asked = frame | ({"epoch": epoch} if "epoch" in frame else {})
                epoch = await said_and_answered(alice, asked, answer if next_kind == "answer" else None) or epoch
        expected = [answer["id"] for kind, answer in blocks if (kind, answer["type"]) == ("answer", "error")]
        assert [event.get("id") for event in alice.events if event["type"] == "error"] == expected


async def said_and_answered(alice, asked, answer):
    if answer is None:
        await alice.line.send(asked)
        return None
    given = await alice.ask(**asked)
    assert given.keys() == answer.keys()
    assert {key: given[key] for key in given if answer[key] != ANY} == {k: v for k, v in answer.items() if v != ANY}
    return given.get("epoch")


async def test_every_event_is_told_as_shown(site):
    shown = [json.loads(text) for text in EXAMPLE.findall(PAGE)]
    assert len(shown) > 7
    told = [likeness(event) for event in await a_day_in_the_lobby(site)]
    assert [example for example in shown if likeness(example) not in told] == []


async def a_day_in_the_lobby(site):
    """What alice is told, from her first frame to the last."""
    url = f"{site.ws_urls[0]}?ticket={Visitor(site.urls[0]).enter('alice').ticket()}"
    async with ChatClient(url) as alice, ChatClient(url) as phone, ChatClient(f"{site.ws_urls[1]}?name=bob") as bob:
        await alice.join()
        await alice.told("presence", joined=["alice"])
        await bob.join()
        await alice.told("presence", joined=["bob"])
        await alice.post("Good morning", nonce="4be1")
        await alice.ask("edit", room="lobby", seq=1, text="Good morning, everybody")
        await bob.ask("react", room="lobby", seq=1, emoji="👋")
        await bob.send("typing", room="lobby")
        await alice.told("typing")
        await phone.send("read", room="lobby", seq=1)
        await alice.told("read")
        async with ChatClient(url) as tablet:
            greeting = await tablet.told("hello")
        await alice.send("join", id=2, room="lobby", after=0, epoch="before the restore")
        await alice.told("resync")
        site.manage("room", "lobby", "--title", "The lobby")
        await alice.told("room")
        site.manage("room", "lobby", "--private")
        await alice.told("left")
        site.processes[0].ask_to_stop()
        await alice.told("bye")
        return [*alice.events, greeting]


def likeness(value, key=None):
    """A frame as it stands, but for what differs: of that the type."""
    if isinstance(value, dict):
        return {key: likeness(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [likeness(one) for one in value]
    if key in TIMES:
        return "a time" if TIME.fullmatch(value) else value
    return type(value) if key in NUMBERS | NAMES_OF_THINGS else value


async def test_the_simpler_dialects_and_the_echo_speak_as_shown(site):
    host = site.urls[0].removeprefix("http://")
    transcripts = TRANSCRIPT.findall(PAGE)
    assert len(transcripts) == 3
    for url, lines in transcripts:
        async with await RawSocket.open(url.replace(HOST, host)) as socket:
            for line in lines.splitlines():
                await typed_or_heard(socket, line.replace(HOST, host))


async def typed_or_heard(socket, line):
    if line.startswith("> "):
        await socket.send_text(line.removeprefix("> "))
    else:
        assert re.fullmatch(re.escape(line).replace(ANY, ".+"), await socket.text())
