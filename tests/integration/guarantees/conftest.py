"""What the tests of the promises share: a site that lives on, for those that kill nothing, and a room for each test."""

import itertools

import pytest

from rig.staging import Place, standing_site

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def shared_site(blueprint):
    """Two processes, without a limit on posts."""
    with standing_site(blueprint, CHAT_POSTS_PER_S="0", CHAT_CONNECTIONS_PER_NAME="50") as site:
        yield site


@pytest.fixture
def place(shared_site):
    return Place(shared_site, next(_numbers))
