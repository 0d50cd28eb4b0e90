"""What the commands print, write and return."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import thalweg as tw


def no_constants(text):
    raise AssertionError(f"{text} is not JSON")


def test_analyze_writes_everything_and_names_the_report_last(thalweg, tmp_path):
    done = thalweg("analyze", "linnerud", "--widths", "4", "--standardize", "--quiet")
    assert done.code == 0
    assert done.err == ""
    folder = tmp_path / "thalweg-linnerud"
    names = {path.name for path in folder.iterdir()}
    assert names == {"report.html", "run.npz", "summary.json", "figures"}
    assert done.out.strip().splitlines()[-1] == str(Path("thalweg-linnerud") / "report.html")
    assert "global minimum" in done.out
    assert "A1" in done.out
    document = json.loads((folder / "summary.json").read_text(), parse_constant=no_constants)
    assert document["status"] == "limit"


def test_json_is_one_document_with_the_attribute_names(thalweg):
    done = thalweg("analyze", "linnerud", "--widths", "4", "--standardize", "--json", "--no-report")
    document = json.loads(done.out, parse_constant=no_constants)
    assert done.code == 0
    assert done.err == ""
    assert done.out.count("\n") == 1
    assert document["limit"]["verdict"]["kind"] == "global_minimum"
    assert document["limit"]["certified"] is True
    assert document["plateaus"] == [] or document["plateaus"][0]["learned"] == []
    assert document["data"]["n_samples"] == 20
    d = tw.datasets.load("linnerud")
    X, Y = d.X - d.X.mean(0), d.Y - d.Y.mean(0)
    X = X / X.std(0)
    best = 0.5 * np.sum((Y - X @ np.linalg.lstsq(X, Y, rcond=None)[0]) ** 2)
    verdict = document["limit"]["verdict"]
    irreducible = document["problem"]["irreducible_loss"]
    assert verdict["loss"] + irreducible == pytest.approx(best, rel=1e-9)


def test_flow_starts_from_given_weights_and_keeps_the_run(thalweg, tmp_path):
    p = tw.datasets.load("linnerud").problem(widths=(2,), standardize=True)
    w = tw.init.gaussian(p, scale=0.2, rng=3)
    np.savez(tmp_path / "w.npz", W1=w[0], W2=w[1])
    options = ("--widths", "2", "--standardize", "--weights", "w.npz", "--t-end", "0.5")
    done = thalweg("flow", "linnerud", *options, "--out", "kept", "--json")
    document = json.loads(done.out)
    assert done.code == 0
    assert document["t"][-1] == 0.5
    assert document["status"] == "horizon"
    end = tw.flow(p, w, t_end=0.5).final
    with np.load(tmp_path / "kept" / "run.npz") as kept:
        np.testing.assert_array_equal(kept["W1"], end[0])
        np.testing.assert_array_equal(kept["start2"], w[1])


def test_tables_from_files(thalweg, tmp_path):
    rng = np.random.default_rng(0)
    rows = [f"{a},{b},{'xy'[int(a > 0)]}" for a, b in rng.normal(size=(30, 2))]
    (tmp_path / "t.csv").write_text("a,b,k\n" + "\n".join(rows) + "\n")
    done = thalweg("flow", "t.csv", "--target", "k", "--center", "--quiet")
    assert done.code == 0
    assert "one-hot with 2 columns" in done.out
    labels = rng.integers(0, 3, 30)
    np.savez(tmp_path / "t.npz", X=rng.normal(size=(30, 2)), Y=labels)
    done = thalweg("flow", "t.npz", "--json")
    assert json.loads(done.out)["problem"]["dims"][-1] == 3


def test_settings_from_a_file_and_the_command_line_wins(thalweg, tmp_path):
    (tmp_path / "c.toml").write_text(
        'widths = [3, 2]\nseed = 5\nstandardize = true\n"t-end" = 0.1\n'
    )
    done = thalweg("flow", "linnerud", "--config", "c.toml", "--seed", "6", "--json")
    document = json.loads(done.out)
    assert document["problem"]["dims"] == [3, 3, 2, 3]
    assert document["start"]["seed"] == 6
    assert document["t"][-1] == 0.1


def test_datasets_lists_licences(thalweg):
    text = thalweg("datasets").out
    assert all(name in text for name in tw.datasets.names())
    assert "CC BY 4.0" in text
    listed = json.loads(thalweg("datasets", "--json").out)["datasets"]
    assert [item["name"] for item in listed] == list(tw.datasets.names())


def test_help_is_quick_and_imports_no_numbers():
    code = (
        "import sys; from thalweg.cli import main; sys.argv = ['thalweg', '--help']\n"
        "try: main()\nexcept SystemExit as end: assert not end.code\n"
        "assert not {'scipy', 'matplotlib', 'pyarrow', 'rich'} & set(sys.modules)\n"
    )
    times = []
    for _ in range(3):
        began = os.times()
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)
        ended = os.times()
        # Processor time of the child: a busy machine does not count.
        times.append(ended[2] + ended[3] - began[2] - began[3])
    assert min(times) < 0.5


@pytest.mark.timeout(300)
@pytest.mark.skipif(os.name == "nt", reason="signals differ")
def test_interruption_keeps_what_there_is(tmp_path):
    command = [sys.executable, "-m", "thalweg", "flow", "digits", "--widths", "60,60,60"]
    command += ["--rtol", "1e-13", "--json", "--out", str(tmp_path)]
    for delay in (2.5, 8.0, 20.0, 60.0):  # a busy machine may not have begun to integrate before
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 130
        if out:
            break
    document = json.loads(out)
    # Where the loss was below every other critical value already, the limit is known all the same.
    assert document["status"] in {"horizon", "limit"}
    assert document["stats"]["stop"] == "interrupted"
    assert (tmp_path / "run.npz").exists()
