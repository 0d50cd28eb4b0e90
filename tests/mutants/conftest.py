"""A mistake is made in a copy of the sources, and the test that must notice it is run on the copy.

An entry of a stage's file is the file in that stage, what stands there once, what replaces it, and
the test.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMPILER = next((path for name in ("c++", "g++", "clang++") if (path := shutil.which(name))), None)


@pytest.fixture
def kill(tmp_path):
    """Return what makes the mistake in a copy of the package and sees the test fail."""

    def of(file, old, new, test):
        package = tmp_path / "thalweg"
        shutil.copytree(ROOT / "src" / "thalweg", package)
        mutate(package / file, old, new)
        fails(test, tmp_path)

    return of


@pytest.fixture
def kill_in_core(tmp_path):
    """Return the same for the compiled core, which is built from the mutated sources."""
    if COMPILER is None:
        pytest.skip("no compiler")

    def of(file, old, new, test):
        package, sources = tmp_path / "thalweg", tmp_path / "native"
        shutil.copytree(ROOT / "src" / "thalweg", package, ignore=shutil.ignore_patterns("*.so"))
        shutil.copytree(ROOT / "src" / "native", sources)
        mutate(sources / file, old, new)
        library = package / "_native" / "generic.so"
        command = [COMPILER, "-O1", "-std=c++20", "-fno-math-errno", "-fPIC", "-shared", "-o"]
        command += [library, *sorted(sources.glob("*.cpp"))]
        subprocess.run(command, check=True, timeout=100)
        fails(test, tmp_path)

    return of


def mutate(path, old, new):
    source = path.read_text("utf-8")
    assert source.count(old) == 1, f"{path.name} has changed: write the mutant anew"
    path.write_text(source.replace(old, new), "utf-8")


def fails(test, folder):
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test]
    command += ["-o", "addopts=--import-mode=importlib", "-p", "no:xdist"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 1, done.stdout[-2000:]
