"""Sessions that know when they end."""

from accounts.session_store import SessionStore


def test_a_session_that_could_not_be_read_is_not_asked_for_again(monkeypatch):
    """The page says already that the database is away; asking once more would take as long again."""
    asked = []
    monkeypatch.setattr(SessionStore, "load", lambda self: asked.append(self) or {})
    assert not SessionStore("key").has_aged()
    assert asked == []
