"""Every row of docs/statements.md names a function, a test and a negative control that exist."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINES = (ROOT / "docs" / "statements.md").read_text("utf-8").splitlines()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in LINES
    if line.startswith("| ") and not line.startswith("| Statement")
]
MUTANTS = "".join(
    path.read_text("utf-8") for path in sorted((ROOT / "tests" / "mutants").glob("test_*.py"))
)


def exists(reference):
    if reference.startswith("mutant: "):
        return f'"{reference.removeprefix("mutant: ")}": (' in MUTANTS
    file, name = reference.strip("`").split("::")
    return f"def {name}(" in (ROOT / file).read_text("utf-8")


def test_there_are_statements():
    assert len(ROWS) >= 15


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_row_is_backed(row):
    _, status, source, function, test, control = row
    assert status in {"theorem", "derived", "checked", "open"}
    assert re.match(r"Spec \d", source)
    module, name = function.strip("`").rsplit(".", 1)
    assert callable(getattr(importlib.import_module(module), name))
    assert exists(test), test
    assert exists(control), control
    assert test != control
