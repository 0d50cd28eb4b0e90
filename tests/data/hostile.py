"""What hostile files must meet: one line, and little memory."""

import resource
import subprocess
import sys

import numpy as np
import pytest

from thalweg import DataError, ThalwegError
from thalweg.data import read_weights


def refuse(path, words):
    with pytest.raises(ThalwegError) as caught:
        read_weights(path)
    assert words in str(caught.value), str(caught.value)
    assert str(caught.value).isprintable()


def refused_in_little_memory(path, words):
    code = (
        "import resource, sys\n"
        "from thalweg.data import read_weights\n"
        "if len(sys.argv) > 3: import torch\n"
        "resource.setrlimit(resource.RLIMIT_AS, (16 * 2**30, 16 * 2**30))\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    read_weights(sys.argv[1])\n"
        "except ValueError as error:\n    assert sys.argv[2] in str(error), error\n"
        "else:\n    raise SystemExit('accepted')\n"
        "grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before\n"
        "assert grown < 30_000, grown\n"
    )
    torch = ["torch"] if path.suffix == ".pt" else []
    command = [sys.executable, "-c", code, str(path), words, *torch]
    subprocess.run(command, check=True, timeout=60)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0


def read_or_refuse(path):
    """Read weights; everything but an array or one line is an error of ours."""
    try:
        weights = read_weights(path)
    except DataError as error:
        message = str(error)
    except ThalwegError as error:
        message = str(error)
    else:
        assert all(np.isfinite(w).all() for w in weights)
        return
    assert message.isprintable()
    assert len(message) < 1200
