import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.addresses import UNKNOWN, client_address, makes_claims


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", None, "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9:443", "203.0.113.9"),
        ("127.0.0.1", "[2a00:1450::1]:443", "2a00:1450::1"),
        ("127.0.0.1", "fe80::1%eth0", "fe80::1"),
        ("127.0.0.1", '"8.8.8.8"', "8.8.8.8"),
        ("127.0.0.1", "8.8.8.8, 10.0.0.9", "8.8.8.8"),
        ("127.0.0.1", "8.8.8.8, 9.9.9.9", "9.9.9.9"),
        ("127.0.0.1", "6.6.6.6, 9.9.9.9, 10.0.0.9, 192.168.0.1", "9.9.9.9"),
        ("127.0.0.1", "<script>, 9.9.9.9, 10.0.0.9", "9.9.9.9"),
        ("127.0.0.1", "6.6.6.6,,  9.9.9.9  ,", "9.9.9.9"),
        ("127.0.0.1", "::ffff:9.9.9.9", "9.9.9.9"),
        ("127.0.0.1", "[::ffff:9.9.9.9]:443, ::ffff:10.0.0.9", "9.9.9.9"),
        ("::ffff:203.0.113.9", None, "203.0.113.9"),
        ("127.0.0.1", "9.9.9.9:443, fd00::1, fe80::1%eth0", "9.9.9.9"),
        ("127.0.0.1", "192.168.1.7", "192.168.1.7"),
        (None, None, UNKNOWN),
        ("", "", UNKNOWN),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "_hidden", "127.0.0.1"),
        ("127.0.0.1", ",", "127.0.0.1"),
        (None, "\x1b[2Jx", UNKNOWN),
    ],
)
def test_the_client_is_the_last_address_that_is_not_a_proxys(peer, forwarded, address):
    assert client_address(peer, forwarded) == address


@pytest.mark.parametrize(
    ("forwarded", "claims"),
    [
        (None, False),
        ("9.9.9.9", False),
        ("9.9.9.9, 10.0.0.9, fd00::1", False),
        ("unknown, 9.9.9.9", False),
        ("1.1.1.1, 9.9.9.9", True),
        ("1.1.1.1, 9.9.9.9, 10.0.0.9", True),
    ],
)
def test_what_stands_left_of_the_client_is_its_own_claim(forwarded, claims):
    assert makes_claims(forwarded) is claims


@given(st.text(), st.text())
def test_whatever_the_headers_say_there_is_one(peer, forwarded):
    assert client_address(peer, forwarded)
