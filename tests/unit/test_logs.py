import logging
import sys

from django.core.exceptions import DisallowedHost

from chatsite.logs import LineFormatter


def line(message: str, *args: object, error: Exception | None = None) -> str:
    record = logging.LogRecord("chat.test", logging.ERROR, "file", 1, message, args, _raised(error))
    return LineFormatter().format(record)


def _raised(error):
    try:
        if error:
            raise error
    except Exception:
        return sys.exc_info()


def test_a_line_says_when_where_and_what():
    assert line("hello %s", "world").endswith(" - ERROR chat.test: hello world")


def test_the_process_is_named(monkeypatch):
    monkeypatch.setenv("CHATSITE_PROCESS", "web-2")
    assert " web-2 ERROR " in line("hello")


def test_nobody_can_add_a_line_of_their_own():
    assert line("Not Found: %s", "/\r\n2026-11-20 ERROR all is lost").count("\n") == 0


def test_a_refusal_has_no_traceback():
    assert "\n" not in line("Invalid host", error=DisallowedHost("Invalid host"))


def test_a_fault_has_one():
    assert "Traceback" in line("Internal error", error=ZeroDivisionError())
