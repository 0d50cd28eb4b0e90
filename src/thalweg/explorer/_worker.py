"""A worker process: takes orders on standard input, answers on standard output.

It leaves as soon as its input closes, so none is left behind when the server is gone.
"""

import importlib
import json
import os
import queue
import sys
import threading
from typing import Any, TextIO

from thalweg._core import ThalwegError, jsonable

TASKS = ("flow", "landscape", "point", "push", "slice", "drop", "basins", "optimizer", "table")


def main() -> None:
    """Serve orders until the input closes."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever prints goes to the log
    _limit(int(sys.argv[1]))
    _warm()
    orders: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    while True:
        _serve(json.loads(orders.get()), out)
        out.write("done\n")
        out.flush()


def _listen(orders: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        orders.put(line)
    os._exit(0)


def _serve(order: dict[str, Any], out: TextIO) -> None:
    def emit(kind: str, **content: Any) -> None:
        text = json.dumps({"kind": kind, **jsonable(content)}, allow_nan=False)
        out.write(text + "\n")
        out.flush()

    try:
        if order["task"] not in TASKS:
            emit("error", message="there is no such task")
            return
        module = importlib.import_module(f"thalweg.explorer.tasks._{order['task']}")
        module.run(order["arguments"], emit)
    except ThalwegError as error:
        emit("error", message=" ".join(str(error).split()))
    except MemoryError:
        emit("error", message="not enough memory; use smaller widths or fewer points")
    except Exception as error:
        emit("error", message=f"internal error ({type(error).__name__}: {error})")


def _limit(memory: int) -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _warm() -> None:
    """Import what most orders need, before the first one comes."""
    from thalweg import datasets
    from thalweg.explorer.tasks import _flow

    _flow.run({"source": {"sigma": [1.0], "dims": [1, 1, 1]}}, lambda *_, **__: None)
    datasets.names()


if __name__ == "__main__":
    main()
