"""The threads that may touch the database: bounded, impatient, and mended once."""

import asyncio
import importlib
import sqlite3
import threading

import pytest
from django.db import InterfaceError, OperationalError, connection

from chat import limits
from chat.database import Batched, Query, Threads, Unavailable, transaction, trouble
from chat.database.transaction import PostgreSQLStatements, SQLiteStatements
from chat.database.trouble import is_timeout
from rig.clock import Clock
from rig.waiting import all_done

PATIENCE_S = 20


class Gate:
    """Work that lasts until the test opens it."""

    def __init__(self):
        self._open, self.begun, self.done = threading.Event(), threading.Event(), []

    def work(self, what=None):
        self.begun.set()
        assert self._open.wait(PATIENCE_S)
        self.done.append(what)
        return what

    def open(self):
        self._open.set()


@pytest.fixture
def gate():
    gate = Gate()
    yield gate
    gate.open()


@pytest.fixture
def threads():
    return Threads(1, "test")


@pytest.fixture
def closed(monkeypatch):
    """How often the connection of a thread was dropped."""
    closed = []
    monkeypatch.setattr("chat.database.threads.connection", type("Connection", (), {"close": lambda: closed.append(1)}))
    monkeypatch.setattr(trouble, "time", Clock())
    monkeypatch.setattr(trouble, "_complained_at", 0.0)
    return closed


# Threads


async def test_the_loop_goes_on_while_the_database_works(threads, gate):
    future = threads.run(gate.work, "answer")
    await all_done()
    assert not future.done()
    gate.open()
    assert await asyncio.wait_for(future, PATIENCE_S) == "answer"


async def test_work_is_done_in_the_order_in_which_it_was_asked_for(threads, gate):
    futures = [threads.run(gate.work, number) for number in range(20)]
    gate.open()
    await asyncio.wait_for(asyncio.gather(*futures), PATIENCE_S)
    assert gate.done == list(range(20))


async def test_several_threads_work_side_by_side_and_no_more_than_so_many(gate):
    barrier = threading.Barrier(3)
    threads = Threads(3, "test")
    futures = [threads.run(barrier.wait, PATIENCE_S) for _ in range(6)]
    await asyncio.wait_for(asyncio.gather(*futures), PATIENCE_S)
    assert len(threads._threads) == 3


async def test_what_is_asked_beyond_the_bound_is_refused_at_once(threads, gate, monkeypatch):
    monkeypatch.setattr(limits, "DATABASE_QUEUE_LIMIT", 2)
    waiting = [threads.run(gate.work) for _ in range(2)]
    with pytest.raises(Unavailable):
        await threads.run(gate.work)
    gate.open()
    await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE_S)
    await asyncio.wait_for(threads.run(gate.work), PATIENCE_S)


async def test_a_caller_that_has_waited_too_long_is_told_to_come_back(threads, gate, monkeypatch):
    monkeypatch.setattr(limits, "DATABASE_PATIENCE_S", 0)
    with pytest.raises(Unavailable) as told:
        await threads.run(gate.work)
    assert told.value.retry_after == limits.UNAVAILABLE_RETRY_S


async def test_what_nobody_waits_for_any_more_is_not_begun(threads, gate):
    first, given_up = threads.run(gate.work, "first"), threads.run(gate.work, "given up")
    assert await asyncio.to_thread(gate.begun.wait, PATIENCE_S)
    given_up.cancel()
    gate.open()
    await asyncio.wait_for(asyncio.gather(first, threads.run(gate.work, "last")), PATIENCE_S)
    assert gate.done == ["first", "last"]


async def test_a_fault_of_the_work_is_the_callers_and_the_thread_goes_on(threads):
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 / 0)
    assert await asyncio.wait_for(threads.run(lambda: 1), PATIENCE_S) == 1


def failing(*problems):
    """Work that fails so often, and then succeeds."""
    left = list(problems)

    def work():
        if left:
            raise left.pop(0)
        return "done"

    return work


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError])
async def test_a_connection_that_broke_since_its_last_use_is_made_anew_unnoticed(threads, closed, kind):
    assert await threads.run(failing(kind("server closed the connection"))) == "done"
    assert closed == [1]


async def test_a_database_that_is_away_is_unavailable_and_told_the_operator_once(threads, closed, caplog):
    for _ in range(3):
        with pytest.raises(Unavailable):
            await threads.run(failing(*[OperationalError("connection refused")] * 2))
    assert caplog.messages == ["the database does not answer: connection refused"]
    assert len(closed) == 6


async def test_what_timed_out_is_not_tried_again(threads, closed):
    """It would only time out again, and hold the thread as long."""
    tries = []

    def time_out():
        tries.append(1)
        raise OperationalError("locked") from busy(sqlite3.SQLITE_BUSY)

    with pytest.raises(Unavailable):
        await threads.run(time_out)
    assert tries == [1]


# What is a time-out


def busy(code):
    problem = sqlite3.OperationalError("whatever the words")
    problem.sqlite_errorcode = code
    return problem


class QueryCanceled(Exception):
    sqlstate = "57014"


class LockNotAvailable(Exception):
    sqlstate = "55P03"


class AdminShutdown(Exception):
    sqlstate = "57P01"


class PoolTimeout(Exception):
    pass


@pytest.mark.parametrize(
    ("cause", "is_so"),
    [
        (busy(sqlite3.SQLITE_BUSY), True),
        (busy(sqlite3.SQLITE_BUSY_SNAPSHOT), True),
        (busy(sqlite3.SQLITE_LOCKED), True),
        (busy(sqlite3.SQLITE_IOERR), False),
        (sqlite3.OperationalError("database is locked, it says"), False),
        (QueryCanceled(), True),
        (LockNotAvailable(), True),
        (PoolTimeout(), True),
        (AdminShutdown("terminating connection due to a timeout, it says"), False),
        (None, False),
    ],
)
def test_a_time_out_is_known_by_its_code_in_whatever_language_the_database_speaks(cause, is_so):
    problem = OperationalError("words")
    problem.__cause__ = cause
    assert is_timeout(problem) == is_so


# Questions answered together


async def test_what_is_asked_while_an_answer_is_on_its_way_is_one_query(threads, gate):
    queries = []

    def answer(keys):
        queries.append(sorted(keys))
        gate.work()
        return {key: key * 10 for key in keys}

    batched = Batched(threads, answer)
    first = asyncio.create_task(batched.ask(1))
    await all_done()
    others = [asyncio.create_task(batched.ask(key)) for key in (2, 3, 2)]
    await all_done()
    gate.open()
    assert await asyncio.wait_for(asyncio.gather(first, *others), PATIENCE_S) == [10, 20, 30, 20]
    assert queries == [[1], [2, 3]]


async def test_an_answer_is_never_older_than_its_question(threads, gate):
    """Whoever asks for what is being read already waits for the next reading."""
    said = ["old"]

    def answer(keys):
        now = said[-1]
        gate.work()
        return dict.fromkeys(keys, now)

    batched = Batched(threads, answer)
    first = asyncio.create_task(batched.ask(1))
    assert await asyncio.to_thread(gate.begun.wait, PATIENCE_S)
    said.append("new")
    second = asyncio.create_task(batched.ask(1))
    await all_done()
    gate.open()
    assert await asyncio.wait_for(asyncio.gather(first, second), PATIENCE_S) == ["old", "new"]


async def test_a_query_that_fails_fails_those_who_asked_and_nobody_later(threads):
    fails = [True]

    def answer(keys):
        if fails.pop():
            raise Unavailable
        return dict.fromkeys(keys, "answer")

    batched = Batched(threads, answer)
    outcomes = await asyncio.gather(batched.ask(1), batched.ask(2), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unavailable, Unavailable]
    fails.append(False)
    assert await batched.ask(1) == "answer"


async def test_a_caller_that_left_is_no_trouble_for_the_others(threads, gate):
    batched = Batched(threads, lambda keys: gate.work(dict.fromkeys(keys, "answer")))
    leaves, stays = asyncio.create_task(batched.ask(1)), asyncio.create_task(batched.ask(1))
    await all_done()
    leaves.cancel()
    gate.open()
    assert await asyncio.wait_for(stays, PATIENCE_S) == "answer"


# Transactions


class Driver:
    """In place of a connection: what a transaction says to it."""

    def __init__(self):
        self.said = []

    def cursor(self):
        return self

    def execute(self, sql, values=None):
        self.said.append(sql)
        if sql == "broken":
            raise OperationalError(sql)
        return self

    def executemany(self, sql, rows):
        self.said.append((sql, len(rows)))

    def fetchall(self):
        return []


@pytest.fixture
def driver(monkeypatch):
    driver = Driver()
    fields = {"vendor": "sqlite", "connection": driver, "ensure_connection": lambda: None}
    stand_in = type("Connection", (), {**fields, "wrap_database_errors": connection.wrap_database_errors})
    monkeypatch.setattr(importlib.import_module("chat.database.transaction"), "connection", stand_in)
    return driver


def test_a_transaction_takes_the_lock_reads_writes_and_commits(driver):
    with transaction() as statements:
        statements.together([Query("SELECT %s", [1])])
        statements.commit([("INSERT %s", [(1,), (2,)]), ("UPDATE %s", [])])
    assert driver.said == ["BEGIN IMMEDIATE", "SELECT ?", ("INSERT ?", 2), "COMMIT"]


def test_a_transaction_that_fails_is_rolled_back_and_says_why(driver):
    with pytest.raises(OperationalError, match="broken"), transaction() as statements:
        statements.together([Query("broken", [])])
    assert driver.said == ["BEGIN IMMEDIATE", "broken", "ROLLBACK"]


def test_a_connection_that_broke_hides_not_why_behind_its_rollback(driver, monkeypatch):
    def broken(statements):
        raise InterfaceError("connection already closed")

    monkeypatch.setattr(SQLiteStatements, "roll_back", broken)
    with pytest.raises(OperationalError, match="broken"), transaction() as statements:
        statements.together([Query("broken", [])])


@pytest.mark.parametrize("values", [[], [1], [1, 2, 3]])
def test_a_condition_takes_any_number_of_values(values):
    sql, bound = SQLiteStatements.among("id", values)
    assert sql.count("%s") == len(bound) == len(values)


def test_postgresql_prepares_one_statement_however_many_values_there_are():
    among = PostgreSQLStatements.among
    assert {among("id", list(range(count))).sql for count in (0, 2, 500)} == {"id = ANY(%s)"}
    assert among("id", [1, 2]).values == [[1, 2]]
    assert among("id", [1]) == ("id = %s", [1])
