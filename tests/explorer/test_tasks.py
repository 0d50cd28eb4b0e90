"""Computations behind the page, against the library called directly."""

import importlib
import json

import numpy as np
import pytest

import thalweg as tw
from thalweg._core import DataError, jsonable

TARGET = {"sigma": [3.0, 2.0, 1.0], "dims": [4, 4, 4, 3]}


def ask(task, **arguments):
    """Run a task; return its messages by kind, the last one of each."""
    found = {}
    counts = {}

    def emit(kind, **content):
        text = json.dumps(jsonable(content), allow_nan=False)
        found[kind] = json.loads(text)
        counts[kind] = counts.get(kind, 0) + 1

    importlib.import_module(f"thalweg.explorer.tasks._{task}").run(arguments, emit)
    found["counts"] = counts
    return found


def run_snippet(text):
    scope = {}
    lines = [
        line for line in text.splitlines() if not line.startswith("print") and ".svg" not in line
    ]
    exec("\n".join(lines), scope)
    return scope


def test_flow_is_that_of_the_library_and_of_its_snippet():
    start = {"kind": "gaussian", "value": 0.01, "seed": 5}
    found = ask("flow", source=TARGET, start=start)
    assert found["plateaus"]["proof"]["since"] is not None
    p = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(4, 4, 4, 3))
    run = tw.flow(p, tw.init.gaussian(p, 0.01, rng=5))
    assert found["end"]["verdict"]["kind"] == run.limit.verdict.kind == "global_minimum"
    assert [item["learned"] for item in found["plateaus"]["plateaus"]] == [
        list(item.learned) for item in run.plateaus
    ]
    assert found["points"]["t"][-1] == run.t[-1]
    assert found["points"]["modes"][-1] == pytest.approx([3.0, 2.0, 1.0], abs=0.05)
    again = run_snippet(found["snippet"]["python"])["run"]
    assert again.t[-1] == run.t[-1]
    assert found["counts"]["points"] >= 2


def test_live_points_come_before_the_end_of_a_long_run():
    source = {"data": "digits", "widths": [60, 60, 60]}
    seen = []
    module = importlib.import_module("thalweg.explorer.tasks._flow")

    def emit(kind, **content):
        seen.append((kind, content))
        if sum(name == "live" for name, _ in seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        module.run({"source": source, "rtol": 1e-12}, emit)
    live = [content for kind, content in seen if kind == "live"]
    assert live[0]["t"] == 0.0 < live[1]["t"] < live[2]["t"]
    assert live[0]["loss"] > live[2]["loss"]
    assert live[2]["drift"] < 1e-10
    assert len(live[2]["modes"]) == 10


def test_tables_data_sets_and_command_lines_agree(tmp_path):
    rng = np.random.default_rng(1)
    table = rng.standard_normal((20, 3))
    path = tmp_path / "secret-name.csv"
    np.savetxt(path, table, delimiter=",", header="a,b,c", comments="")
    source = {"path": str(path), "name": "mine.csv", "target": ["c"], "widths": [2]}
    found = ask("flow", source=source)
    slope = np.linalg.lstsq(table[:, :2], table[:, 2], rcond=None)[0]
    rest = table[:, 2] - table[:, :2] @ slope
    assert found["problem"]["irreducible"] == pytest.approx(0.5 * rest @ rest)
    assert "mine.csv" in found["snippet"]["command"]
    assert "secret" not in json.dumps(found)


def test_landscape_lists_the_atlas():
    found = ask("landscape", source=TARGET, lowest=5)
    p = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(4, 4, 4, 3))
    expected = [(list(level.learned), level.loss) for level in tw.atlas(p).lowest(5)]
    assert [(item["learned"], item["loss"]) for item in found["levels"]["levels"]] == expected
    assert found["levels"]["n_levels"] == 8


@pytest.mark.parametrize(
    ("learned", "kind"),
    [([0, 1, 2], "global_minimum"), ([1], "strict_saddle"), ([0], "non_strict_saddle")],
)
def test_points_are_what_they_were_asked_to_be(learned, kind):
    found = ask("point", source=TARGET, learned=learned, kind=kind, seed=3)
    assert found["point"]["verdict"]["kind"] == kind
    assert found["point"]["verdict"]["learned"] == learned
    assert ("line" in found) == (kind != "global_minimum")
    if kind != "global_minimum":
        assert min(found["line"]["change"]) < 0


def test_a_push_leaves_the_saddle_and_goes_down():
    content = {"source": TARGET, "learned": [0], "kind": "non_strict_saddle", "seed": 3}
    found = ask("push", **content, step=0.3)
    assert found["points"]["loss"][-1] < 2.5 - 0.1
    with pytest.raises(DataError, match="choose a saddle"):
        ask("push", **{**content, "learned": [0, 1, 2], "kind": "global_minimum"})


def test_slices_and_dropped_starts_are_those_of_the_library():
    points = {"a": {"learned": []}, "b": {"learned": [0]}}
    plane = ask("slice", source=TARGET, **points)["plane"]
    p = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(4, 4, 4, 3))
    at_origin = np.interp(0.0, plane["x"], range(61)), np.interp(0.0, plane["y"], range(61))
    near = plane["loss"][round(at_origin[1])][round(at_origin[0])]
    assert near == pytest.approx(7.0, abs=0.2)
    assert [mark["learned"] for mark in plane["marks"]] == [[], [0]]
    dropped = ask("drop", source=TARGET, **points, x=plane["x"][40], y=plane["y"][45])
    assert dropped["path"]["loss"][0] == pytest.approx(plane["loss"][45][40], rel=1e-9)
    assert dropped["path"]["distance"][0] == pytest.approx(0.0, abs=1e-12)
    assert p.depth == 3


def test_optimizers_are_those_of_the_library():
    found = []
    module = importlib.import_module("thalweg.explorer.tasks._optimizer")
    content = {"source": TARGET, "methods": ["gd", "adam"], "lr": 0.02, "steps": 50}
    module.run(content, lambda kind, **rest: found.append((kind, rest)))
    tracks = {rest["name"]: rest for kind, rest in found if kind == "track"}
    assert list(tracks) == ["flow", "gd", "adam"]
    p = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(4, 4, 4, 3))
    done = tw.descend(p, tw.init.gaussian(p, 0.1, rng=0), lr=0.02, steps=50)
    assert tracks["gd"]["loss"][-1] == done.loss[-1]
    assert tracks["gd"]["predicted"][-1] == pytest.approx(done.drift[-1], rel=1e-6)
    assert tracks["adam"]["predicted"] is None
    snippet = next(rest for kind, rest in found if kind == "snippet")
    assert run_snippet(snippet["python"])["gd"].loss[-1] == done.loss[-1]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "say what to learn"),
        ({"source": []}, "say what to learn"),
        ({"source": {"data": "nothing"}}, "neither a bundled data set"),
        ({"source": {"data": "/etc/passwd"}}, "hand a file over"),
        ({"source": {"data": "..\\x.csv"}}, "hand a file over"),
        ({"source": {"sigma": [], "dims": [2, 2]}}, "1 to 64 numbers"),
        ({"source": {"sigma": [1.0, None], "dims": [2, 2]}}, "must be a number"),
        ({"source": {"sigma": [1.0], "dims": "2,2"}}, "list of whole numbers"),
        ({"source": {"sigma": [1.0], "dims": [2, 10**9]}}, "whole number from 1 to 256"),
        ({"source": {"sigma": [1.0], "dims": [2] * 14}}, "at most 12"),
        ({"source": TARGET, "start": {"kind": "__class__"}}, "use one of gaussian"),
        ({"source": TARGET, "start": {"value": True}}, "must be a number"),
        ({"source": TARGET, "start": {"seed": 1.5}}, "whole number"),
        ({"source": TARGET, "t_end": -1.0}, "must be positive"),
        ({"source": TARGET, "rtol": "x"}, "must be a number"),
        ({"source": {"sigma": [1.0], "dims": [250] * 8}}, "too many for this page"),
    ],
)
def test_wrong_fields_are_named_in_one_line(arguments, text):
    with pytest.raises(DataError, match=text) as caught:
        ask("flow", **arguments)
    assert "\n" not in str(caught.value)


def test_columns_of_an_upload(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,<img src=x>,c\n1,2,3\n")
    found = ask("table", source={"path": str(path)})
    assert found["columns"]["columns"] == ["a", "<img src=x>", "c"]
