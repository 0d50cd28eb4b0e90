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
SECTIONS = {1: 6, 2: 5, 3: 6, 4: 9, 5: 5, 6: 6, 8: 3, 9: 3}
"""Chapter -> number of its sections; chapter 7 is one section, chapter 10 repeats others."""
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


def test_no_section_of_the_mathematics_is_without_a_statement():
    cited = set()
    for _, _, source, *_ in ROWS:
        spec = source.split(";")[0]
        for first, last in re.findall(r"(\d\.\d)(?:-(\d\.\d))?", spec):
            low, high = int(first[2]), int((last or first)[2])
            cited |= {f"{first[0]}.{section}" for section in range(low, high + 1)}
        cited |= set(re.findall(r"Spec (7)$", spec))
    wanted = {f"{a}.{b}" for a, most in SECTIONS.items() for b in range(1, most + 1)} | {"7"}
    assert not wanted - cited


def test_every_numbered_claim_of_the_article_is_there():
    sources = " ".join(row[2] for row in ROWS)
    claims = [f"Lemma {k}" for k in range(1, 6)] + [f"Remark {k}" for k in range(1, 5)]
    claims += [f"Prop. {k}" for k in range(1, 4)] + ["Theorem 1", "Definition 2", "Eq. 1,"]
    assert not [claim for claim in claims if claim not in sources]


def test_what_is_open_is_listed_as_open():
    assert sum(row[1] == "open" for row in ROWS) >= 2


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
