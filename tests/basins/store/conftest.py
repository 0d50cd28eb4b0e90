"""The toy sweep for all tests of the store and of the executors."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import thalweg

HERE = Path(__file__).parent
sys.path.append(str(HERE))  # importable by worker processes too

import toy_sweep  # noqa: E402

CHUNKS = 6


@pytest.fixture(scope="session")
def reference(tmp_path_factory):
    """The chunks of a sweep that nobody disturbed."""
    folder = tmp_path_factory.mktemp("reference") / "store"
    toy_sweep.sweep(folder, CHUNKS)
    return toy_sweep.files(folder)


@pytest.fixture
def environment():
    """Where other processes find this package and the toy."""
    source = Path(thalweg.__file__).parents[1]
    paths = [str(source), str(HERE), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}


@pytest.fixture
def start(environment):
    """Start the toy as a command; whatever still runs at the end is killed."""
    begun = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-P", HERE / "toy_sweep.py", *map(str, arguments)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        begun.append(process)
        return process

    yield start
    for process in begun:
        process.kill()
        process.communicate()


@pytest.fixture
def lab(environment):
    """Run the crash laboratory and return what it found."""

    def lab(arguments):
        done = subprocess.run(
            [sys.executable, "-P", HERE / "crash_lab.py", *arguments.split()],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return lab
