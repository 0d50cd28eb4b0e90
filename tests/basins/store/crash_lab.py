"""Kills sweeps at random moments and prints what came of it; a process of its own, to be forked.

The interpreter starts once and is then forked, so that kills fall into the sweep itself and not
into the import of libraries.
"""

import argparse
import functools
import json
import math
import os
import random
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

import toy_sweep

from thalweg.basins import ChunksFailedError, Shard, Store, StoreLockedError

PATIENCE = 15  # seconds; a loaded machine may need some to start a process that then ends


def fork(action):
    """Run an action in a new session; return its process."""
    pid = os.fork()
    if pid:
        while os.getpgid(pid) != pid:
            time.sleep(0.0005)
        return pid
    code = 1
    try:
        os.setsid()
        action()
        code = 0
    finally:
        os._exit(code)


def members(session):
    """Return the living processes of a session."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] not in "ZX":
                found.append(int(entry.name))
    return found


def finished(pid):
    """Say whether a child has ended by itself."""
    return os.waitpid(pid, os.WNOHANG)[0] != 0


def kills(options, root):
    """C1 and C2: kill everything, or the parent alone; go on until done; compare."""
    draw = random.Random(options.seed)
    call = functools.partial(toy_sweep.compute, nap=options.nap)
    reference = reference_files(options, root)
    count = mismatches = stores = orphans = 0
    slowest = 0.0
    while count < options.kills and not orphans:
        folder = root / f"store-{stores}"
        stores += 1
        while count < options.kills:
            action = functools.partial(
                toy_sweep.sweep, folder, options.chunks, executor=options.executor, compute=call
            )
            pid = fork(action)
            time.sleep(draw_moment(draw, options.longest))
            if finished(pid):
                break
            if options.victim == "group":
                os.killpg(pid, signal.SIGKILL)
            else:
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            count += 1
            begin = time.monotonic()
            while members(pid) and time.monotonic() < begin + PATIENCE:
                time.sleep(0.01)
            slowest = max(slowest, time.monotonic() - begin)
            left = members(pid)
            orphans += len(left)
            for orphan in left:
                command = Path(f"/proc/{orphan}/cmdline").read_bytes().replace(b"\0", b" ")
                toy_sweep.say(f"orphan {orphan}: {command.decode()}")
                os.kill(orphan, signal.SIGKILL)
            if left:
                break
        last = fork(functools.partial(finish, folder, options.chunks, call))
        mismatches += os.waitpid(last, 0)[1] != 0 or toy_sweep.files(folder) != reference
    return {
        "kills": count,
        "stores": stores,
        "mismatches": mismatches,
        "orphans": orphans,
        "slowest_end": round(slowest, 2),
    }


def finish(folder, chunks, call):
    """Go on until everything is there, then read it."""
    toy_sweep.sweep(folder, chunks, compute=call)
    with Store.open(folder) as store:
        assert not store.missing()
        assert store.read().num_rows == 20 * chunks
    assert not leftovers(folder)


def worker_kills(options, root):
    """C3: kill single workers while the parent goes on."""
    draw = random.Random(options.seed)
    call = functools.partial(toy_sweep.compute, nap=options.nap)
    reference = reference_files(options, root)
    count, stop = 0, threading.Event()

    def kill():
        nonlocal count
        while not stop.wait(draw.uniform(0.02, options.longest)) and count < options.kills:
            workers = [pid for pid in children() if pid != os.getpid()]
            if workers:
                os.kill(draw.choice(workers), signal.SIGKILL)
                count += 1

    stores = mismatches = given_up = 0
    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    while count < options.kills:
        folder = root / f"store-{stores}"
        stores += 1
        while True:
            try:
                toy_sweep.sweep(folder, options.chunks, executor=options.executor, compute=call)
            except ChunksFailedError as error:
                # Kills hit the same chunk again and again; the same command goes on with it.
                given_up += len(error.failed)
            else:
                break
        mismatches += toy_sweep.files(folder) != reference
    stop.set()
    killer.join()
    return {"kills": count, "stores": stores, "mismatches": mismatches, "given_up": given_up}


def parts(options, root):
    """C8: eight processes write their parts of one store at the same time."""
    pids = [
        fork(
            functools.partial(toy_sweep.sweep, root / "store", options.chunks, shard=Shard(part, 8))
        )
        for part in range(8)
    ]
    codes = [os.waitpid(pid, 0)[1] for pid in pids]
    same = toy_sweep.files(root / "store") == reference_files(options, root)
    return {"codes": codes, "same": same}


def forked(options, root):
    """A forked child neither holds its parent's lock nor gives it away."""

    def open_store():
        return Store.create_or_open(root / "store", toy_sweep.PLAN, "ab" * 32, options.chunks)

    def locked():
        try:
            with open_store():
                return False
        except StoreLockedError:
            return True

    with open_store():
        os.waitpid(fork(lambda: None), 0)
        held = locked()
        child = fork(lambda: time.sleep(30))
    kept = locked()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return {"held_by_parent": held, "kept_by_child": kept}


def children():
    """Return the children of this process that compute, not the tracker of semaphores."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        for pid in (task / "children").read_text().split():
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                continue
            if b"resource_tracker" not in command and b"forkserver" not in command:
                found.append(int(pid))
    return found


def reference_files(options, root):
    """Return the chunks of a sweep that nobody disturbed, made in a process of its own."""
    os.waitpid(fork(lambda: toy_sweep.sweep(root / "reference", options.chunks)), 0)
    return toy_sweep.files(root / "reference")


def leftovers(folder):
    """Return what a finished store should not hold."""
    return [path.name for path in Path(folder).iterdir() if path.name.startswith(".writing")]


def draw_moment(draw, longest):
    """Draw a moment, uniform in its logarithm from a millisecond on."""
    return 10 ** draw.uniform(-3, math.log10(longest))


EXPERIMENTS = {
    "group": kills,
    "parent": kills,
    "worker": worker_kills,
    "none": parts,
    "fork": forked,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--victim", choices=list(EXPERIMENTS), default="group")
    parser.add_argument("--executor", default="threads")
    parser.add_argument("--chunks", type=int, default=60)
    parser.add_argument("--nap", type=float, default=0.0)
    parser.add_argument("--longest", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        json.dump(EXPERIMENTS[options.victim](options, Path(root)), sys.stdout)


if __name__ == "__main__":
    main()
