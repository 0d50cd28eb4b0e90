"""The tables on the page on studies are what the full runs print."""

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = "docs/studies.md"
NUMBER = re.compile(r"(?<![\w.])-?\d+\.\d+")
"""Measured numbers; they may move a little where the processor rounds or steps differently."""


def close(shown, printed):
    """Tell whether two tables have the same words and counts, and nearly the same measurements."""
    words = [NUMBER.sub("", text).split() for text in (shown, printed)]
    pairs = [map(float, NUMBER.findall(text)) for text in (shown, printed)]
    good = itertools.starmap(
        lambda one, two: abs(one - two) <= 0.01 + 0.02 * abs(one), zip(*pairs, strict=False)
    )
    return words[0] == words[1] and all(good)


def test_tables_that_differ_are_told_apart():
    assert close("slope 0.653 of 20", "slope 0.655 of 20")
    assert not close("slope 0.653 of 20", "slope 0.753 of 20")
    assert not close("slope 0.653 of 20", "slope 0.653 of 21")


def test_each_study_has_its_table_and_picture(page):
    commands = [block.code.strip() for block in page(PAGE)]
    assert all(block.output for block in page(PAGE))
    text = (ROOT / PAGE).read_text("utf-8")
    for name in re.findall(r"python examples/(\w+)\.py$", "\n".join(commands), re.M):
        assert f"images/{name}.png" in text
        assert (ROOT / "docs" / "images" / f"{name}.png").exists()
    assert len(commands) == 3


@pytest.mark.slow
@pytest.mark.parametrize("place", range(3))
def test_full_runs_print_the_tables(page, place, tmp_path):
    block = page(PAGE)[place]
    script = ROOT / block.code.split()[1]
    source = str(ROOT / "src")
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([source, *sys.path])},
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    assert close(block.output, done.stdout)
