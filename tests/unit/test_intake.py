"""What a connection has asked: in order, bounded, and nothing of it lost."""

import asyncio

import pytest

from chat import limits
from chat.sockets.intake import Intake
from rig.waiting import all_done

IN_FLIGHT = limits.REQUESTS_IN_FLIGHT


class Desk:
    """Does what is asked: "slow" things when the test says so, "broken" ones never."""

    def __init__(self):
        self.done, self.refused, self.flow = [], [], []
        self.go = asyncio.Event()
        self.intake = Intake(self.do, self.has_to_wait, self.refuse, self.pause, self.resume)

    def do(self, request):
        if request.startswith("broken"):
            raise ValueError(request)
        if self.has_to_wait(request):
            return self.do_slowly(request)
        if request.startswith("write"):
            self.intake.write_begun()
        self.done.append(request)
        return None

    async def do_slowly(self, request):
        await self.go.wait()
        self.done.append(request)

    def has_to_wait(self, request):
        return request.startswith("slow")

    def refuse(self, request, problem):
        self.refused.append((request, type(problem)))

    def pause(self):
        self.flow.append("pause")

    def resume(self):
        self.flow.append("resume")

    def take(self, *requests):
        for request in requests:
            self.intake.take(request)


@pytest.fixture
async def desk():
    desk = Desk()
    yield desk
    desk.intake.close()


async def test_what_needs_nothing_is_done_at_once(desk):
    desk.take("typing", "write")
    assert desk.done == ["typing", "write"]


async def test_nothing_overtakes_what_was_asked_before(desk):
    desk.take("slow join", "write", "leave")
    assert desk.done == []
    desk.go.set()
    await all_done()
    assert desk.done == ["slow join", "write", "leave"]


async def test_a_request_that_fails_is_refused_and_the_next_one_is_done(desk):
    desk.take("broken at once", "slow join", "broken behind it", "write")
    desk.go.set()
    await all_done()
    assert desk.refused == [("broken at once", ValueError), ("broken behind it", ValueError)]
    assert desk.done == ["slow join", "write"]


async def test_a_client_that_asks_too_much_is_not_read_until_it_has_its_answers(desk):
    desk.take("slow join", *["write"] * (IN_FLIGHT - 2))
    assert desk.flow == []
    desk.take("write")
    assert desk.flow == ["pause"]
    desk.go.set()
    await all_done()
    assert desk.flow == ["pause", "resume"]


async def test_a_server_without_flow_control_waits_until_the_client_has_its_answers(desk):
    desk.take("slow join", *["write"] * IN_FLIGHT)
    waiting = asyncio.create_task(desk.intake.caught_up())
    await all_done()
    assert not waiting.done()
    desk.go.set()
    desk.intake.write_done()
    await waiting
    assert len(desk.done) == IN_FLIGHT + 1


async def test_so_many_writes_and_no_more_are_under_way_at_once(desk):
    desk.take(*["write"] * (IN_FLIGHT + 2))
    await all_done()
    assert len(desk.done) == IN_FLIGHT
    desk.intake.write_done()
    await all_done()
    assert len(desk.done) == IN_FLIGHT + 1


async def test_what_waits_when_the_client_leaves_is_handed_back_in_order(desk):
    desk.take(*["write"] * IN_FLIGHT, "write last", "slow join", "typing")
    await all_done()
    assert desk.intake.close() == ["write last", "slow join", "typing"]
    desk.intake.write_done()
    desk.go.set()
    await all_done()
    assert desk.done == ["write"] * IN_FLIGHT
