"""Worker processes: one computation each at a time, stopped by ending the process."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncGenerator, Coroutine
from typing import Any

from thalweg.explorer._limits import Limits

LONGEST_LINE = 64 * 2**20


class BusyError(Exception):
    """All places are taken, waiting ones included."""


class Crew:
    """As many workers as may compute at once; idle ones are kept warm.

    A worker that is cancelled, runs too long or breaks is ended and replaced, so that no
    computation outlives the request that asked for it.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.idle: list[asyncio.subprocess.Process] = []
        self.working: set[asyncio.subprocess.Process] = set()
        self.waiting = 0
        self._pending: set[asyncio.Future[None]] = set()
        self._places = asyncio.Semaphore(limits.running)

    async def start(self) -> None:
        """Warm up one worker."""
        self.idle.append(await self._hire())

    async def stop(self) -> None:
        """End all workers."""
        await asyncio.gather(*self._pending, return_exceptions=True)
        for worker in [*self.idle, *self.working]:
            await _end(worker)
        self.idle.clear()
        self.working.clear()

    async def run(self, task: str, arguments: dict[str, Any]) -> AsyncGenerator[bytes, None]:
        """Yield the messages of a computation, one JSON document a line.

        Raises
        ------
        BusyError
            If too many computations wait already.
        """
        waits = self._places.locked()
        if waits and self.waiting >= self.limits.queued:
            raise BusyError
        self.waiting += 1
        try:
            # Counted before it is told: a visitor who reads slowly holds a place in the queue.
            if waits:
                yield _line({"kind": "queued", "before": self.waiting})
            await self._places.acquire()
        finally:
            self.waiting -= 1
        try:
            # Closed here and now: left to itself it would outlive the visitor.
            async with contextlib.aclosing(self._work(task, arguments)) as lines:
                async for line in lines:
                    yield line
        finally:
            self._places.release()

    async def _work(self, task: str, arguments: dict[str, Any]) -> AsyncGenerator[bytes, None]:
        worker = self.idle.pop() if self.idle else await self._hire()
        self.working.add(worker)
        done = False
        try:
            assert worker.stdin is not None and worker.stdout is not None  # noqa: S101, PT018
            order = {"task": task, "arguments": arguments}
            worker.stdin.write(json.dumps(order).encode() + b"\n")
            await worker.stdin.drain()
            # A clock for each line: one around all of them would belong to whoever asks first.
            end = asyncio.get_running_loop().time() + self.limits.seconds
            while True:
                async with asyncio.timeout_at(end):
                    line = await worker.stdout.readline()
                if line == b"done\n":
                    done = True
                    return
                if not line:
                    break
                yield line
            yield _line({"kind": "error", "message": "the computation broke off; ask for less"})
        except TimeoutError:
            text = f"stopped after {self.limits.seconds:g} s; ask for less, or use the library"
            yield _line({"kind": "error", "message": text})
        except (ConnectionError, ValueError) as error:
            yield _line({"kind": "error", "message": f"the worker was lost: {error}"})
        finally:
            self.working.discard(worker)
            if done:
                self.idle.append(worker)
            else:
                self._later(self._refill())
                await asyncio.shield(_end(worker))

    async def _refill(self) -> None:
        """Keep one worker warm."""
        if not self.idle:
            self.idle.append(await self._hire())

    def _later(self, work: Coroutine[None, None, None]) -> None:
        """Do something that a visitor who leaves must not cut short."""
        task = asyncio.ensure_future(work)
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _hire(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "thalweg.explorer._worker", str(self.limits.memory)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
            limit=LONGEST_LINE,
        )


async def _end(worker: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        worker.kill()
    await worker.wait()


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message, allow_nan=False).encode() + b"\n"
