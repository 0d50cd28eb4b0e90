"""Every view says how to get the same without the page: the words are run and compared."""

import importlib
import json
import shlex

import numpy as np
import pytest

import thalweg as tw
from thalweg._core import jsonable
from thalweg.cli._main import run as command_line

TABLE = {"data": "linnerud", "widths": [3]}
START = {"kind": "gaussian", "value": 0.1, "seed": 3}
SADDLE = {"learned": [0, 1], "kind": "strict_saddle", "seed": 3}
HALF = {"a": {"learned": [], "seed": 2}, "b": {"learned": [0], "seed": 2}}


def ask(task, **arguments):
    """Run a task; return its messages by kind, the last one of each, as the page gets them."""
    found = {}

    def emit(kind, **content):
        found[kind] = json.loads(json.dumps(jsonable(content), allow_nan=False))

    importlib.import_module(f"thalweg.explorer.tasks._{task}").run(arguments, emit)
    return found


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def python(found):
    """Run the whole snippet, printing and drawing included."""
    scope = {}
    exec(found["snippet"]["python"], scope)
    return scope


def terminal(line, capsys, *options):
    """Run a line of the terminal; return its JSON."""
    words = shlex.split(line)
    assert words[0] == "thalweg"
    capsys.readouterr()
    assert command_line([*words[1:], "--json", *options]) == 0
    return json.loads(capsys.readouterr().out)


def test_flow(folder, capsys):
    found = ask("flow", source=TABLE, start=START)
    points, end = found["points"], found["end"]["verdict"]
    again = python(found)["run"]
    assert again.t[-1] == points["t"][-1]
    assert again.reducible_loss[-1] == points["loss"][-1]
    assert (folder / "run.svg").exists()
    told = terminal(found["snippet"]["command"], capsys, "--no-report")
    assert told["limit"]["verdict"]["loss"] == end["loss"]
    assert told["limit"]["verdict"]["learned"] == end["learned"]


def test_landscape(folder, capsys):
    found = ask("landscape", source=TABLE, lowest=5)
    shown = [(item["learned"], item["loss"]) for item in found["levels"]["levels"]]
    scope = python(found)
    assert [(list(x.learned), x.loss) for x in tw.atlas(scope["p"]).lowest(5)] == shown
    told = terminal(found["snippet"]["command"], capsys)
    assert [(item["learned"], item["loss"]) for item in told["levels"]] == shown


def test_point_and_push(folder, capsys):
    found = ask("point", source=TABLE, **SADDLE)
    scope = python(found)
    assert tw.classify(scope["p"], scope["w"]).eigenvalues == pytest.approx(
        np.array(found["point"]["verdict"]["eigenvalues"])
    )
    terminal(found["snippet"]["command"], capsys)
    with np.load(folder / "critical.npz") as kept:
        weights = [kept[name] for name in sorted(kept.files) if kept[name].ndim == 2]
    assert all(np.array_equal(a, b) for a, b in zip(weights, scope["w"], strict=True))
    pushed = ask("push", source=TABLE, **SADDLE, step=1e-3)
    assert python(pushed)["run"].t[-1] == pushed["points"]["t"][-1]


def test_a_point_that_the_command_line_cannot_name_has_no_line():
    found = ask("point", source=TABLE, learned=[0], kind="strict_saddle", seed=3)
    assert found["snippet"]["command"] is None


def test_push_off_a_non_strict_saddle():
    source = {"sigma": [3.0, 2.0, 1.0], "dims": [4, 4, 4, 3]}
    content = {"learned": [0], "kind": "non_strict_saddle", "seed": 3, "step": 0.3}
    pushed = ask("push", source=source, **content)
    assert python(pushed)["run"].t[-1] == pushed["points"]["t"][-1]


def test_slice_and_dropped_start(folder):
    found = ask("slice", source=TABLE, **HALF)
    plane = python(found)["plane"]
    assert np.array_equal(plane.reducible_loss, found["plane"]["loss"])
    assert (folder / "plane.svg").exists()
    x, y = (found["plane"][name][35] for name in "xy")
    dropped = ask("drop", source=TABLE, **HALF, x=x, y=y)
    assert python(dropped)["run"].t[-1] == dropped["path"]["t"][-1]


def test_basins(folder, capsys):
    plan = {"kind": "gaussian", "scales": [0.1, 1.0], "n": 20, "seed": 3}
    found = ask("basins", source=TABLE, **plan)
    rows = found["sweep"]["fractions"]
    again = python(found)["s"].fractions().rows
    assert [(item.count, item.low, item.high) for item in again] == [
        (item["count"], item["low"], item["high"]) for item in rows
    ]
    told = terminal(found["snippet"]["command"], capsys)
    assert told["fractions"]["rows"] == rows
    # A sweep that was kept is opened by the same words.
    stored = ask("basins", stored=True, folder=str(folder / "runs" / "mine"))
    (folder / "mine").symlink_to(folder / "runs" / "mine")
    assert python(stored)["s"].counts() == stored["sweep"]["counts"]


def test_optimizers(folder, capsys):
    content = {"methods": ["gd", "momentum", "adam"], "lr": 1e-6, "steps": 50}
    tracks = {}

    def emit(kind, **rest):
        if kind == "track":
            tracks[rest["name"]] = rest
        if kind == "snippet":
            tracks["snippet"] = rest

    task = importlib.import_module("thalweg.explorer.tasks._optimizer")
    task.run({"source": TABLE, "start": START, **content}, emit)
    scope = python(tracks)
    lines = tracks["snippet"]["command"].splitlines()
    assert scope["run"].loss[-1] == tracks["flow"]["loss"][-1]
    for name, line in zip(content["methods"], lines, strict=True):
        assert scope[name].loss[-1] == tracks[name]["loss"][-1]
        assert terminal(line, capsys, "--no-report")["loss"][-1] == tracks[name]["loss"][-1]
