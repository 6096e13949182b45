"""docs/protocol.md is sent to a running server, frame by frame, and has to be answered as it says."""

import json
import re
from pathlib import Path

from tests.client import ChatClient

PAGE = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"
BLOCK = re.compile(r"^```json (send|answer)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANY = "…"


async def test_the_page_is_what_the_server_speaks(site):
    blocks = [(kind, json.loads(text)) for kind, text in BLOCK.findall(PAGE.read_text())]
    assert len(blocks) > 15
    async with ChatClient(f"{site.ws_urls[0]}?name=alice") as alice:
        epoch = None
        for (kind, frame), (next_kind, answer) in zip(blocks, [*blocks[1:], ("send", {})], strict=True):
            if kind == "send":
                asked = frame | ({"epoch": epoch} if "epoch" in frame else {})
                epoch = await said_and_answered(alice, asked, answer if next_kind == "answer" else None) or epoch


async def said_and_answered(alice, asked, answer):
    if answer is None:
        await alice.socket.send(json.dumps(asked))
        return None
    given = await alice.ask(**asked)
    assert given.keys() == answer.keys()
    assert {key: given[key] for key in given if answer[key] != ANY} == {k: v for k, v in answer.items() if v != ANY}
    return given.get("epoch")
