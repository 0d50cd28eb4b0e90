"""Every view says how to get the same without the page: the words are run and compared."""

import importlib
import json
import shlex

import numpy as np
import pytest

import thalweg as tw
from thalweg._core import jsonable
from thalweg.cli._main import run as command_line
from thalweg.explorer._worker import TASKS

TABLE = {"data": "linnerud", "widths": [3]}
DEEP = {"data": "linnerud", "widths": [3, 3], "metric": "whitened", "standardize": True}
TARGET = {"sigma": [3.0, 2.0, 1.0], "dims": [4, 4, 4, 3]}
SOURCES = {"table": TABLE, "target": TARGET}
START = {"kind": "gaussian", "value": 0.1, "seed": 3}
SADDLE = {"learned": [0, 1], "kind": "strict_saddle", "seed": 3}
HALF = {"a": {"learned": [], "seed": 2}, "b": {"learned": [0], "seed": 2}}
CORNER = {"a": {"learned": []}, "b": {"learned": [0], "kind": "strict_saddle"},
          "toward": {"learned": [0, 1], "seed": 4}}  # fmt: skip
SILENT = {"table"}
"""Tasks that compute nothing: there is nothing to repeat."""

each_source = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)


def listen(task, **arguments):
    """Run a task; return its messages in order, as the page gets them."""
    heard = []

    def emit(kind, **content):
        heard.append((kind, json.loads(json.dumps(jsonable(content), allow_nan=False))))

    importlib.import_module(f"thalweg.explorer.tasks._{task}").run(arguments, emit)
    return heard


def ask(task, **arguments):
    """Run a task; return its messages by kind, the last one of each."""
    return dict(listen(task, **arguments))


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


@each_source
def test_flow(folder, capsys, source):
    found = ask("flow", source=source, start=START)
    points, end = found["points"], found["end"]["verdict"]
    again = python(found)["run"]
    assert again.t[-1] == points["t"][-1]
    assert again.reducible_loss[-1] == points["loss"][-1]
    assert (folder / "run.svg").exists()
    told = terminal(found["snippet"]["command"], capsys, "--no-report")
    assert told["t"][-1] == points["t"][-1]
    assert told["limit"]["verdict"]["loss"] == end["loss"]
    assert told["limit"]["verdict"]["learned"] == end["learned"]


@each_source
def test_flow_to_a_time(folder, capsys, source):
    found = ask("flow", source=source, start=START, t_end=0.01, rtol=1e-6)
    told = terminal(found["snippet"]["command"], capsys, "--no-report")
    again, points = python(found)["run"], found["points"]
    assert told["t"] == again.t.tolist()
    assert told["t"][-len(points["t"]) :] == points["t"]


@each_source
def test_landscape(folder, capsys, source):
    found = ask("landscape", source=source, lowest=5)
    shown = [(item["learned"], item["loss"]) for item in found["levels"]["levels"]]
    scope = python(found)
    assert [(list(x.learned), x.loss) for x in tw.atlas(scope["p"]).lowest(5)] == shown
    told = terminal(found["snippet"]["command"], capsys)
    assert [(item["learned"], item["loss"]) for item in told["levels"]] == shown


@each_source
@pytest.mark.parametrize(
    "place", [SADDLE, {"learned": [0], "kind": "strict_saddle"}, {"learned": []}, {"learned": [2]}]
)
def test_every_critical_point(folder, capsys, source, place):
    found = ask("point", source=source, **place)
    shown = found["point"]["verdict"]
    scope = python(found)
    assert tw.classify(scope["p"], scope["w"]).eigenvalues.tolist() == shown["eigenvalues"]
    told = terminal(found["snippet"]["command"], capsys)["sample"]
    assert told["eigenvalues"] == shown["eigenvalues"]
    assert told["learned"] == shown["learned"] == place["learned"]
    with np.load(folder / "critical.npz") as kept:
        weights = [kept[name] for name in sorted(kept.files)]
    assert all(np.array_equal(a, b) for a, b in zip(weights, scope["w"], strict=True))


@pytest.mark.parametrize(
    ("source", "place", "step"),
    [
        (TABLE, SADDLE, 1e-3),
        (TARGET, SADDLE, 1e-3),
        (TARGET, {"learned": [0], "kind": "non_strict_saddle", "seed": 3}, 0.3),
        (DEEP, {"learned": [], "kind": "non_strict_saddle"}, 0.5),
        (TARGET, {"learned": []}, 0.01),
    ],
)
def test_push(folder, capsys, source, place, step):
    found = ask("push", source=source, **place, step=step)
    points, end = found["points"], found["end"]["verdict"]
    assert python(found)["run"].t[-1] == points["t"][-1]
    told = terminal(found["snippet"]["command"], capsys)
    assert told["t"][-1] == points["t"][-1]
    assert told["from"]["learned"] == place["learned"]
    assert told["limit"]["verdict"]["loss"] == end["loss"]
    assert told["plateaus"] == found["plateaus"]["plateaus"]


@each_source
@pytest.mark.parametrize("where", [HALF, CORNER], ids=["witness", "third-point"])
def test_slice_and_dropped_start(folder, capsys, source, where):
    found = ask("slice", source=source, **where)
    shown = found["plane"]
    plane = python(found)["plane"]
    assert plane.reducible_loss.tolist() == shown["loss"]
    assert (folder / "plane.svg").exists()
    told = terminal(found["snippet"]["command"], capsys)
    assert told["reducible_loss"] == shown["loss"]
    assert [told["x"], told["y"]] == [shown["x"], shown["y"]]
    assert told["marks"]["x"] == [mark["x"] for mark in shown["marks"]]
    assert [item["kind"] for item in told["verdicts"]] == [item["kind"] for item in shown["marks"]]
    with np.load(folder / "plane" / "plane.npz") as kept:
        assert kept["reducible_loss"].tolist() == shown["loss"]

    x, y = (shown[name][35] for name in "xy")
    dropped = ask("drop", source=source, **where, x=x, y=y)
    path = dropped["path"]
    assert python(dropped)["run"].t[-1] == path["t"][-1]
    told = terminal(dropped["snippet"]["command"], capsys)["drop"]
    assert {key: told["path"][key] for key in ("x", "y", "distance", "t")} == {
        key: path[key] for key in ("x", "y", "distance", "t")
    }
    assert told["run"]["t"][-1] == path["t"][-1]
    assert told["run"]["limit"]["verdict"]["learned"] == path["verdict"]["learned"]
    assert (folder / "plane" / "run.npz").exists()


@each_source
def test_basins(folder, capsys, source):
    plan = {"kind": "gaussian", "scales": [0.1, 1.0], "n": 20, "seed": 3}
    found = ask("basins", source=source, **plan)
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
    told = terminal(stored["snippet"]["command"], capsys)
    assert told["fractions"]["rows"] == stored["sweep"]["fractions"] == rows


@each_source
def test_optimizers(folder, capsys, source):
    content = {"methods": ["gd", "momentum", "adam"], "lr": 1e-6, "steps": 50}
    heard = listen("optimizer", source=source, start=START, **content)
    tracks = {rest["name"]: rest for kind, rest in heard if kind == "track"}
    scope = python(dict(heard))
    lines = dict(heard)["snippet"]["command"].splitlines()
    assert scope["run"].loss[-1] == tracks["flow"]["loss"][-1]
    for name, line in zip(content["methods"], lines, strict=True):
        assert scope[name].loss[-1] == tracks[name]["loss"][-1]
        assert terminal(line, capsys, "--no-report")["loss"][-1] == tracks[name]["loss"][-1]


def test_an_upload_whose_name_begins_like_an_option(folder, capsys):
    table = np.random.default_rng(1).standard_normal((20, 3))
    np.savetxt(folder / "-x.csv", table, delimiter=",", header="a,b,c", comments="")
    source = {"path": str(folder / "-x.csv"), "name": "-x.csv", "target": ["c"], "widths": [2]}
    found = ask("landscape", source=source)
    told = terminal(found["snippet"]["command"], capsys)
    assert [x["loss"] for x in told["levels"]] == [x["loss"] for x in found["levels"]["levels"]]


@each_source
def test_no_view_is_without_words(folder, source):
    """A new task must be asked for here, and say how to repeat it."""
    small = {"n": 5, "methods": ["gd"], "steps": 5, "lr": 1e-6, "start": START, "x": 0.1, "y": 0.1}
    for task in sorted({*TASKS} - SILENT):
        found = listen(task, source=source, learned=[0], **HALF, **small)
        words = [content for kind, content in found if kind == "snippet"]
        assert len(words) == 1, task
        assert words[0]["python"].startswith("import thalweg as tw\n"), task
        for line in words[0]["command"].splitlines():
            assert line.startswith("thalweg "), task
    store = str(folder / "kept")
    ask("basins", source=source, n=5, folder=store)
    assert ask("basins", stored=True, folder=store)["snippet"]["command"].startswith("thalweg ")
