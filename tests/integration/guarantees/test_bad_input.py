"""G9: whatever comes in gets a clear answer, leaves no traceback, and does nothing to anybody else."""

import asyncio

import pytest

from rig.strange import assert_nobody_minds, knock, pester

FRAMES = 3_000
HANDSHAKES = 300


async def test_thousands_of_strange_frames(place):
    await assert_nobody_minds(place, *(pester(place, seed, FRAMES // 3) for seed in range(3)))


async def test_hundreds_of_strange_handshakes(place):
    await assert_nobody_minds(place, *(knock(place, seed, HANDSHAKES // 3) for seed in range(3)))


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {"Cookie": 'sessionid="\\000abcdefghijk"'}),
        ("/", {"Cookie": "sessionid=" + "a" * 4_000}),
        ("/", {"Host": "evil.example"}),
        ("/", {"Accept-Language": "x" * 1_000 + ";q=\x00"}),
        ("/rooms/%00/", {}),
        ("/rooms/" + "x" * 5_000 + "/", {}),
        ("/rooms/%ff%fe/", {}),
        ("/?next=//evil.example", {}),
        ("/accounts/login/?next=%00", {}),
        ("/admin/accounts/user/?q=%00", {}),
        ("/static/../../etc/passwd", {}),
        ("/static/%00", {}),
        ("/api/ticket?%00", {}),
        ("/%e0%80%af", {}),
    ],
)
async def test_strange_requests_of_pages(place, path, headers):
    """Answered with less than 500."""
    host = place.site.urls[0].removeprefix("http://")
    reader, writer = await asyncio.open_connection(*host.split(":"))
    given = {"Host": host, "Connection": "close"} | headers
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
    async with asyncio.timeout(20):
        answer = await reader.read()
    writer.close()
    assert answer[:9] == b"HTTP/1.1 "
    assert int(answer[9:12]) < 500
    assert "Traceback" not in place.site.logs


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/enter/", {"name": "\0"}),
        ("/enter/", {"name": "x" * 100_000}),
        ("/enter/", {"name": "a", "next": "http://[evil"}),
        ("/enter/", {}),
        ("/accounts/login/", {"login": "\0", "password": "\0"}),
        ("/accounts/login/", {"login": "x" * 100_000, "password": "y" * 100_000}),
        ("/accounts/signup/", {"username": "\ud800", "password1": "\0"}),
        ("/api/ticket", {"a": "\0"}),
    ],
)
async def test_strange_forms(place, path, fields):
    visitor = place.visitor()
    visitor.get("/")
    safe = {name: value.encode("utf-8", "surrogatepass") for name, value in fields.items()}
    assert visitor.post(path, **safe).status < 500
    assert "Traceback" not in place.site.logs
