"""A request to become a WebSocket, before Daphne sees it: RFC 6455, 4.2; RFC 9110, 7.8; RFC 9112, 3.2."""

from http import HTTPStatus
from types import SimpleNamespace

import pytest
from twisted.web import http
from twisted.web.http_headers import Headers

import chatsite.server.http_channel  # noqa: F401 (it knows the words)
from chatsite.server.asked_to_upgrade import refusal, use_origin_form

USUAL = {b"host": [b"chat.test"], b"upgrade": [b"websocket"], b"sec-websocket-version": [b"13"]}


def asked(proto=b"HTTP/1.1", uri=b"/ws/?name=a", drop=(), **given):
    headers = {name: values for name, values in USUAL.items() if name not in drop}
    headers |= {name.replace("_", "-").encode(): values for name, values in given.items()}
    return SimpleNamespace(requestHeaders=Headers(headers), clientproto=proto, uri=uri, path=uri.partition(b"?")[0])


def header(request, name):
    return request.requestHeaders.getRawHeaders(name)


@pytest.mark.parametrize("upgrade", [[b"WebSocket"], [b"websocket, h2c"], [b"h2c, websocket"], [b"h2c", b"websocket"]])
def test_of_several_protocols_the_websocket_is_taken(upgrade):
    request = asked(upgrade=upgrade)
    assert refusal(request) is None
    assert header(request, b"upgrade") == [b"websocket"]


@pytest.mark.parametrize("changed", [{"proto": b"HTTP/1.0"}, {"upgrade": [b"h2c"]}, {"drop": (b"upgrade",)}])
def test_what_asks_for_no_websocket_is_a_plain_request(changed):
    request = asked(**changed)
    assert refusal(request) is None
    assert header(request, b"upgrade") is None


@pytest.mark.parametrize(
    "version",
    [[], [b""], [b"8"], [b"12"], [b"013"], [b"1_3"], [b"-13"], [b"13.0"], [b"abc"], [b"13, 8"], [b"13", b"13"]],
)
def test_a_version_other_than_13_is_told_so(version):
    found = refusal(asked(sec_websocket_version=version) if version else asked(drop=(b"sec-websocket-version",)))
    assert found.status == 426
    assert (b"Sec-WebSocket-Version", b"13") in found.headers


@pytest.mark.parametrize(
    "host", ["chat.test", "chat_1.test:8000", "[::1]:8000", "127.0.0.1", "聊天.test", "chat.test:"]
)
def test_a_host_may_be_called_what_it_likes(host):
    assert refusal(asked(host=[host.encode()])) is None


@pytest.mark.parametrize(
    "host",
    [[], [b""], [b" "], [b"["], [b"x:port"], [b"a@b"], [b"a b"], [b"a,b:1,c"], [b"chat.test", b"evil.test"]],
)
@pytest.mark.parametrize("upgrade", [[b"websocket"], [b"h2c"]])
def test_a_request_of_http_1_1_names_one_host(host, upgrade):
    request = asked(host=host, upgrade=upgrade) if host else asked(drop=(b"host",), upgrade=upgrade)
    assert refusal(request).status == 400


def test_a_request_of_http_1_0_need_not_name_a_host():
    assert refusal(asked(proto=b"HTTP/1.0", drop=(b"host",))) is None


@pytest.mark.parametrize("body", [{"content_length": [b"5"]}, {"transfer_encoding": [b"chunked"]}])
def test_a_body_would_be_taken_for_frames(body):
    assert refusal(asked(**body)).status == 400
    assert refusal(asked(upgrade=[b"h2c"], **body)) is None


def test_every_status_has_its_words():
    assert http.RESPONSES[426] == b"Upgrade Required"
    assert {status.value for status in HTTPStatus} <= http.RESPONSES.keys()


def test_a_body_of_nothing_is_none():
    assert refusal(asked(content_length=[b"0"])) is None


@pytest.mark.parametrize("offer", [b"permessage-deflate; client_max_window_bits=99", b";;;", b"permessage-deflate"])
def test_extensions_are_declined_however_they_are_written(offer):
    request = asked(sec_websocket_extensions=[offer, b"foo"])
    assert refusal(request) is None
    assert header(request, b"sec-websocket-extensions") is None


@pytest.mark.parametrize(
    ("offered", "left"),
    [
        ([b"chat.v1"], [b"chat.v1"]),
        ([b",,chat.v1, "], [b"chat.v1"]),
        ([b"soap", b"chat.v1"], [b"soap, chat.v1"]),
        ([b","], None),
        ([b""], None),
    ],
)
def test_empty_members_of_the_list_of_subprotocols_count_for_nothing(offered, left):
    request = asked(sec_websocket_protocol=offered)
    assert refusal(request) is None
    assert header(request, b"sec-websocket-protocol") == left


@pytest.mark.parametrize("name", [b"so ap", b"chat.v1;q=1", b"a\r\nX-Evil: 1", "ü".encode(), b'"chat.v1"', b"a/b"])
def test_a_subprotocol_is_a_token(name):
    assert refusal(asked(sec_websocket_protocol=[b"chat.v1", name])).status == 400


@pytest.mark.parametrize(
    ("uri", "host", "path"),
    [
        (b"http://other.test/ws/?name=a", b"other.test", b"/ws/"),
        (b"WS://other.test:8000", b"other.test:8000", b"/"),
        (b"/ws/?next=http://other.test/", b"chat.test", b"/ws/"),
        (b"ftp://other.test/ws/", b"chat.test", b"ftp://other.test/ws/"),
    ],
)
def test_an_absolute_address_names_the_host(uri, host, path):
    request = asked(uri=uri)
    use_origin_form(request)
    assert (header(request, b"host"), request.path) == ([host], path)
    assert request.uri.partition(b"?")[0] == path
