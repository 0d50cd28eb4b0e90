"""A run is cut into slices by a clock; where it is cut must not show in a single bit."""

import numpy as np
import pytest

import thalweg as tw
from thalweg.integrate import _slices

PROBLEMS = {
    # Widths that fill no vector of the processor: what is kept has no padding.
    "multistep": (tw.Problem.from_target([30.0, 1.0, 0.03], dims=(3, 3, 3, 3)), 0.01),
    "explicit": (tw.Problem.from_target([3.0, 1.5], dims=(4, 3, 3, 2)), 0.3),
}


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("seconds", [0.0, 3e-4])
def test_slices_do_not_show(monkeypatch, name, seconds):
    p, scale = PROBLEMS[name]
    start = tw.init.gaussian(p, scale, rng=4)

    def run(of):
        monkeypatch.setattr(_slices, "SECONDS", of)
        out = tw.flow(p, start, rtol=1e-8, max_steps=20_000)
        return out.t, np.concatenate([w.ravel() for w in out.final]), out.stats["steps"]

    one, other = run(1e9), run(seconds)
    assert one[2] == other[2]
    assert np.array_equal(one[0], other[0])
    assert np.array_equal(one[1], other[1])


def test_the_multistep_case_takes_implicit_steps():
    p, scale = PROBLEMS["multistep"]
    run = tw.flow(p, tw.init.gaussian(p, scale, rng=4), rtol=1e-8, max_steps=20_000)
    if run.stats["engine"] != "native":
        pytest.skip("no compiled core")
    assert run.stats["implicit_steps"] > 50


def test_memory_around_a_run_does_not_show():
    p, scale = PROBLEMS["multistep"]
    start, found = tw.init.gaussian(p, scale, rng=4), set()
    for k in range(6):
        held = [np.full(size, 1e3 * k) for size in range(1, 40 * (k + 1), 7)]
        run = tw.flow(p, start, rtol=1e-8, max_steps=20_000)
        found.add((run.stats["steps"], float(run.t[-1])))
        del held
    assert len(found) == 1
