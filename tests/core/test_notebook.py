"""What a notebook shows."""

import base64
import re

import numpy as np
import pytest

import thalweg as tw
from thalweg.landscape import plane_slice

PICTURE = re.compile(r'<img alt="[^"]+" src="data:image/png;base64,([^"]+)">')


@pytest.fixture(scope="module")
def results():
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))
    run = tw.flow(p, tw.init.gaussian(p))
    saddle = tw.critical_point(p, (1,))
    net = tw.nonlinear.ShallowProblem(np.eye(2), [1.0, -1.0], hidden=2, activation="relu")
    return {
        "descent": tw.descend(p, tw.init.gaussian(p), lr=0.05, steps=20),
        "drift_curve": tw.optimizers.drift_against_step(p, tw.init.gaussian(p), [0.02, 0.01], 1.0),
        "shallow": net.flow(net.start(0.5, rng=0), 1.0),
        "gradient_run": tw.counterexamples.unbounded.flow([0.7, 0.7], 10.0),
        "sweep": tw.sweep(p, tw.init.gaussian, n=4, scale=[0.1]),
        "fractions": tw.sweep(p, tw.init.gaussian, n=4, scale=[0.1, 0.2]).fractions(),
        "comparison": tw.descend(p, tw.init.gaussian(p), lr=0.05, steps=20).compare(),
        "run": run,
        "certificate": run.certificate,
        "atlas": tw.atlas(p),
        "verdict": tw.classify(p, saddle),
        "slice": plane_slice(p, tw.critical_point(p, ()), saddle, resolution=5),
    }


EXPLORED = ["run", "certificate", "atlas", "verdict", "slice"]
BEYOND = ["comparison", "fractions", "descent", "drift_curve", "shallow", "gradient_run", "sweep"]


@pytest.mark.parametrize("name", EXPLORED + BEYOND)
def test_results_come_with_their_key_figure_and_table(results, name):
    text = results[name]._repr_html_()
    picture = base64.b64decode(PICTURE.search(text).group(1))
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 200_000
    assert "<table>" in text


def test_a_monitor_comes_with_its_key_figure_once_it_has_recorded_something():
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with tw.monitor.watch(model, optimizer, every=1) as m:
        assert "<img" not in m._repr_html_()
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.ones(5, 3)).square().sum().backward()
            optimizer.step()
    for item in (m, m.record):
        picture = base64.b64decode(PICTURE.search(item._repr_html_()).group(1))
        assert picture.startswith(b"\x89PNG")
        assert len(picture) < 200_000


def test_runs_without_a_step_are_shown():
    net = tw.nonlinear.ShallowProblem(np.eye(2), [1.0, -1.0], hidden=2, activation="relu")
    rest = net.flow([np.zeros((2, 2)), np.zeros((1, 2))])
    for result in (rest, tw.counterexamples.unbounded.flow([0.0, 0.0])):
        assert "<table>" in result._repr_html_()


def test_results_without_a_picture_are_tables():
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))
    for result in (p, tw.classify(p, tw.init.gaussian(p))):
        text = result._repr_html_()
        assert "<table>" in text
        assert "<img" not in text


def test_text_of_a_table_is_escaped():
    from thalweg._core import Result

    class Odd(Result):
        def summary_rows(self):
            return [("<b>", "<script>alert(1)</script>")]

    assert "<script>" not in Odd()._repr_html_()


NUMBERS_ONLY = {
    # Parts of a result that has a picture, or facts and verdicts of a few numbers.
    "basins": {"Defect", "Fraction", "Theorem", "Times"},
    "certificate": {"Hypothesis", "Share"},
    "counterexamples": {"Evidence", "GradientSystem", "Level"},
    "data": {"Table", "WeightFile"},
    "datasets": {"Dataset"},
    "landscape": {"DescentCurve", "Exclusion", "Level", "Pivot", "Projection"},
    "limit": {"Limit", "Plateau"},
    "monitor": {"LawSummary"},
    "nonlinear": {"Law", "ShallowLimit", "ShallowProblem"},
    "problem": {"Assumption", "Assumptions", "Problem", "ProblemFacts"},
    "verify": {"Verification"},
}


def every_result():
    """All classes of results, found by importing everything."""
    import importlib
    import pkgutil

    from thalweg._core import Result

    for module in pkgutil.walk_packages(tw.__path__, "thalweg."):
        if not module.name.startswith(("thalweg._native.", "thalweg.__main__")):
            try:
                importlib.import_module(module.name)
            except ImportError:  # an extra that is not installed
                continue
    found = [Result]
    for kind in found:
        found += [child for child in kind.__subclasses__() if child not in found]
    ours = [kind for kind in found[1:] if kind.__module__.startswith("thalweg.")]
    return sorted(ours, key=lambda kind: (kind.__module__, kind.__name__))


def test_every_kind_of_result_has_a_key_figure_or_a_reason_to_have_none():
    from thalweg._core import Result

    kinds = every_result()
    assert len(kinds) > 35
    for kind in kinds:
        stage = kind.__module__.split(".")[1]
        drawn = kind._key_figure is not Result._key_figure
        listed = kind.__name__ in NUMBERS_ONLY.get(stage, ())
        assert drawn != listed, f"{stage}.{kind.__name__}"
        assert kind._repr_html_ is Result._repr_html_
