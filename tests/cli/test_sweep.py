import json

import pyarrow.parquet as pq
import pytest

NETWORK = ("linnerud", "--standardize", "--widths", "4", "--metric", "whitened")


def test_a_sweep_on_one_screen(thalweg):
    out = thalweg("sweep", *NETWORK, "--n", 40, "--init", "gaussian:0.01,0.3")
    assert out.code == 0
    assert "global minimum" in out.out
    assert "80 of 80" in out.out
    assert "[theorem" in out.out


def test_store_resume_and_json(thalweg, tmp_path):
    out = thalweg(
        "sweep", *NETWORK, "--n", 30, "--init", "gaussian:0.3,1", "--store", "a", "--json"
    )
    assert out.code == 0
    document = json.loads(out.out)
    assert document["counts"] == {"global_minimum": 60}
    assert document["fractions"]["rows"][0]["parameters"] == {"scale": 0.3}
    table = pq.read_table(sorted((tmp_path / "a").glob("*.parquet"))[0])
    assert table["index"].to_pylist() == list(range(60))
    again = thalweg("sweep", "--resume", "a", "--json")
    told = json.loads(again.out)
    assert told["counts"] == document["counts"]
    assert told["fingerprint"] == document["fingerprint"]
    assert told["stats"]["computed"] == 0


def test_parts_are_joined(thalweg):
    plan = ("sweep", *NETWORK, "--n", 600, "--init", "gaussian:0.3", "--store", "a", "--json")
    first = json.loads(thalweg(*plan, "--chunk", 1, "--of", 2).out)
    assert first["status"] == "part"
    assert 0 < first["n_starts"] < 600
    second = json.loads(thalweg(*plan, "--chunk", 0, "--of", 2).out)
    assert (second["status"], second["n_starts"]) == ("complete", 600)


def test_report_with_pictures(thalweg, tmp_path):
    out = thalweg(
        *("sweep", *NETWORK, "--n", 30, "--init", "gaussian:0.01,0.1,1"),
        *("--report", "--out", "r", "--quiet"),
    )
    assert out.code == 0
    page = (tmp_path / "r/report.html").read_text(encoding="utf-8")
    assert "how likely each ending is" in page
    assert page.count("<svg") == 3
    assert "http://" not in page.replace("http://www.w3.org", "")
    for name in ("fractions", "times", "staircase"):
        assert (tmp_path / f"r/figures/{name}.png").read_bytes().startswith(b"\x89PNG")


def test_until_width(thalweg):
    out = thalweg(
        "sweep", *NETWORK, "--init", "gaussian:0.5", "--until-width", 0.01, "--json", "--n", 5000
    )
    document = json.loads(out.out)
    assert document["status"] == "narrow"
    row = document["fractions"]["totals"][0]
    assert row["high"] - row["low"] <= 0.01
    assert document["n_starts"] < 5000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "DATA or --resume"),
        (("linnerud", "--resume", "x"), "DATA or --resume"),
        (("--resume", "x", "--store", "y"), "leave --store out"),
        (("--resume", "nowhere"), "nowhere"),
        (("linnerud", "--chunk", 1), "belong together"),
        (("linnerud", "--chunk", 1, "--of", 2), "--store"),
        (("linnerud", "--chunk", 2, "--of", 2, "--store", "a"), "part 2 of 2"),
        (
            ("linnerud", "--chunk", 1, "--of", 2, "--store", "a", "--until-width", 0.1),
            "leave one of them out",
        ),
        (("linnerud", "--init", "foo:1"), "unknown"),
        (("linnerud", "--init", "gaussian:a"), "needs numbers"),
        (("linnerud", "--executor", "cloud"), "cloud"),
    ],
)
def test_wrong_usage_is_one_line(thalweg, arguments, message):
    out = thalweg("sweep", *arguments)
    assert out.code == 2
    assert message in out.err
    assert out.err.count("\n") == 1
    assert out.out == ""


def test_another_plan_is_refused(thalweg):
    assert thalweg("sweep", *NETWORK, "--n", 20, "--store", "a").code == 0
    out = thalweg("sweep", *NETWORK, "--n", 21, "--store", "a")
    assert out.code == 2
    assert "another sweep" in out.err


def test_a_report_in_the_store_leaves_it_readable_as_a_folder(thalweg, tmp_path):
    plan = ("sweep", *NETWORK, "--n", 30, "--init", "gaussian:0.3", "--store", "a", "--quiet")
    assert thalweg(*plan, "--report").code == 0
    assert (tmp_path / "a/_report/report.html").exists()
    assert pq.read_table(tmp_path / "a").num_rows == 30
    (tmp_path / "a/_manifest.json").unlink()
    assert thalweg(*plan).code == 0  # the report is no foreign file
