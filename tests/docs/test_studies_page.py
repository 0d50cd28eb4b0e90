"""The tables on the page on studies are what the full runs print."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = "docs/studies.md"


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
def test_full_runs_print_the_tables(page, same, place, tmp_path):
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
    assert same(block.output, done.stdout)
