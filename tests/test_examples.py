"""The examples run and say what they are there to say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "examples"
WORDS = {
    "figure2": "r = 0 -> r = 1 -> global_minimum",
    "landscape_tour": "a curve of descent of order 3",
    "linnerud": "global minimum (certified)",
    "optimizers": "momentum  loss 0.1726  drift 0.1670",
    "nonlinear_tour": "unbounded diverged",
    "plateaus": "scale 0.0001: (): ",
    "stable_set": "strict_saddle",
    "basins_by_depth": "2000 [0.998157, 1.000000]",
    "plateau_times": "4 layers, at {}: -",
    "stable_sets": "order 4: exponent 2 of 1/eps",
}
STUDIES = {"basins_by_depth", "plateau_times", "stable_sets"}
"""Examples that have a short form."""


def test_every_example_is_tried():
    assert {path.stem for path in FOLDER.glob("*.py")} == set(WORDS)


@pytest.mark.parametrize("name", WORDS)
def test_example(name, tmp_path):
    source = str(FOLDER.parent / "src")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([source, *sys.path])}
    done = subprocess.run(
        [sys.executable, str(FOLDER / f"{name}.py"), *(["--quick"] if name in STUDIES else [])],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert WORDS[name] in done.stdout
