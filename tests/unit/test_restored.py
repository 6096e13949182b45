import pytest
from django.db import OperationalError

from chat.rooms import restored


def test_a_mark_that_cannot_be_written_is_the_databases_trouble_and_leaves_nothing(tmp_path):
    """A site whose disk is full says so in one line, as of the database itself, and goes on."""
    mark = tmp_path / "site.sqlite3.mark"
    mark.mkdir()  # no file takes its place
    with pytest.raises(OperationalError, match="mark"):
        restored._write(mark)
    assert list(tmp_path.iterdir()) == [mark]


def test_a_mark_is_another_each_time(tmp_path):
    mark = tmp_path / "site.sqlite3.mark"
    marks = set()
    for _ in range(3):
        restored._write(mark)
        marks.add(restored._marked_as(mark))
    assert len(marks) == 3
    assert mark.stat().st_mode & 0o077 == 0
