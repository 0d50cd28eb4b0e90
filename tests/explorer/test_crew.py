"""Worker processes: one request each, none left behind."""

import asyncio
import concurrent.futures
import contextlib
import json
import os
import time

import pytest

from thalweg.explorer._crew import BusyError, Crew
from thalweg.explorer._limits import Limits

TARGET = {"sigma": [2.0, 1.0], "dims": [2, 2, 2]}
LONG = {"source": {"data": "digits", "widths": [250, 250], "loss": "sum"}, "rtol": 1e-13}


def alone(work):
    """Run in a thread: the browser of other tests has a loop in this one."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def with_crew(work, **limits):
    async def run():
        crew = Crew(Limits(**limits))
        await crew.start()
        try:
            return await work(crew)
        finally:
            await crew.stop()

    return alone(run())


async def messages(crew, task, arguments):
    return [json.loads(line) async for line in crew.run(task, arguments)]


def alive(number):
    with contextlib.suppress(ProcessLookupError):
        os.kill(number, 0)
        return True
    return False


def test_a_worker_serves_one_order_after_the_other():
    async def work(crew):
        first = crew.idle[0].pid
        kinds = []
        for _ in range(3):
            found = await messages(crew, "flow", {"source": TARGET})
            kinds.append(found[-1]["kind"])
        return first, crew.idle[0].pid, kinds

    before, after, kinds = with_crew(work)
    assert before == after
    assert kinds == ["end"] * 3


def test_wrong_orders_are_messages_and_leave_the_worker_alive():
    async def work(crew):
        wrong = await messages(crew, "flow", {"source": {}})
        unknown = await messages(crew, "os", {})
        right = await messages(crew, "flow", {"source": TARGET})
        return wrong, unknown, right

    wrong, unknown, right = with_crew(work)
    assert wrong[-1]["kind"] == unknown[-1]["kind"] == "error"
    assert right[-1]["kind"] == "end"


def test_twenty_cancelled_computations_leave_no_work_behind():
    async def work(crew):
        seen = set()
        for _ in range(20):
            stream = crew.run("flow", LONG)
            await anext(stream)
            seen |= {worker.pid for worker in crew.working}
            await stream.aclose()
        left = [number for number in seen if alive(number)]
        answer = await messages(crew, "flow", {"source": TARGET})
        return seen, left, answer[-1]["kind"], len(crew.working)

    seen, left, kind, working = with_crew(work)
    assert len(seen) == 20
    assert left == []
    assert kind == "end"
    assert working == 0


def test_too_long_a_computation_is_stopped_and_said():
    async def work(crew):
        return await messages(crew, "flow", LONG)

    found = with_crew(work, seconds=2.0)
    assert found[-1]["kind"] == "error"
    assert "stopped after 2 s" in found[-1]["message"]


def test_a_worker_that_dies_is_said_and_replaced():
    async def work(crew):
        stream = crew.run("flow", LONG)
        await anext(stream)
        for worker in crew.working:
            worker.kill()
        rest = [json.loads(line) async for line in stream]
        again = await messages(crew, "flow", {"source": TARGET})
        return rest[-1], again[-1]["kind"]

    last, kind = with_crew(work)
    assert last["kind"] == "error"
    assert "broke off" in last["message"]
    assert kind == "end"


def test_more_than_may_wait_are_sent_away():
    async def work(crew):
        first = crew.run("flow", LONG)
        await anext(first)
        waiting = crew.run("flow", {"source": TARGET})
        queued = json.loads(await anext(waiting))
        task = asyncio.ensure_future(anext(waiting))
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await anext(crew.run("flow", {"source": TARGET}))
        await first.aclose()
        later = json.loads(await task)
        await waiting.aclose()
        return queued, later

    queued, later = with_crew(work, running=1, queued=1)
    assert queued == {"kind": "queued", "before": 1}
    assert later["kind"] == "problem"


def test_workers_leave_when_the_server_is_gone():
    async def work(crew):
        worker = crew.idle.pop()
        worker.stdin.close()
        deadline = time.monotonic() + 60
        while worker.returncode is None and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        return worker.returncode

    assert with_crew(work) == 0
