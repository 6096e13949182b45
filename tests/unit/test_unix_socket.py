"""Which Unix socket may be listened on, and what is taken away before: chatsite/server/unix_socket.py."""

import os
import socket

import pytest

from chatsite.server.unix_socket import PATH_LIMIT_BYTES, NotUsable, make_way


@pytest.fixture
def path(tmp_path):
    return tmp_path / "chat.sock"


def lock_of(path):
    return path.with_name("chat.sock.lock")


def lock(path, pid):
    """As Twisted does it: a link that leads to the number of a process."""
    lock_of(path).symlink_to(str(pid))


def leave_socket(path):
    """As a server leaves it that had no time to clean up."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))


@pytest.fixture
def listener(path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        yield listener


def test_a_lock_whose_process_number_lives_again_is_taken_away(path):
    leave_socket(path)
    lock(path, os.getpid())
    make_way(f"unix:{path}")
    assert not os.path.lexists(lock_of(path))
    assert not path.exists()


def test_a_lock_alone_is_taken_away(path):
    lock(path, os.getpid())
    make_way(f"unix:{path}")
    assert not os.path.lexists(lock_of(path))


def test_a_socket_that_nobody_listens_on_is_taken_away(path):
    leave_socket(path)
    make_way(f"unix:{path}:mode=666")
    assert not path.exists()


def test_where_a_server_listens_another_is_refused(path, listener):
    lock(path, os.getpid())
    with pytest.raises(NotUsable, match="another server listens there"):
        make_way(f"unix:{path}")
    assert os.path.lexists(lock_of(path))
    assert path.exists()


def test_a_server_that_accepts_nobody_for_now_is_not_dead(path, listener):
    listener.listen(0)
    with socket.socket(socket.AF_UNIX) as waits:
        waits.connect_ex(str(path))
        with pytest.raises(NotUsable, match="another server listens there"):
            make_way(f"unix:{path}")


def test_nothing_there_is_as_good(path):
    make_way(f"unix:{path}")


def test_a_colon_in_the_path_is_written_with_a_backslash(tmp_path):
    path = tmp_path / "a:b"
    leave_socket(path)
    make_way(f"unix:{tmp_path}/a\\:b")
    assert not path.exists()


@pytest.mark.parametrize("endpoint", ["tcp:8000", "ssl:8443:privateKey=key.pem", "fd:fileno=3"])
def test_other_endpoints_are_left_alone(endpoint):
    make_way(endpoint)


def test_what_is_not_a_socket_is_not_taken_away(path):
    path.write_text("somebody's notes")
    with pytest.raises(NotUsable, match="something that is not a socket"):
        make_way(f"unix:{path}")
    assert path.read_text() == "somebody's notes"


def test_a_path_that_cannot_be_is_refused(tmp_path):
    with pytest.raises(NotUsable, match="no such folder"):
        make_way(f"unix:{tmp_path}/nowhere/chat.sock")
    with pytest.raises(NotUsable, match=f"at most {PATH_LIMIT_BYTES} bytes"):
        make_way("unix:/tmp/" + "x" * PATH_LIMIT_BYTES)
