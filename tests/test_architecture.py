"""The shape of the code: small files, private modules, light imports, documented names."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "thalweg"
PYTHON = sorted(PACKAGE.rglob("*.py"))
NATIVE = sorted((ROOT / "src" / "native").glob("*.?pp"))


def test_files_are_short():
    for path in [*PYTHON, *NATIVE]:
        assert len(path.read_text("utf-8").splitlines()) <= 300, path


def test_no_drawers_for_odds_and_ends():
    names = {path.stem.strip("_") for path in PYTHON}
    assert not names & {"utils", "helpers", "misc", "common", "tools"}


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_other_stages_are_imported_by_their_face(path):
    stage = path.relative_to(PACKAGE).parts[0]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("thalweg."):
            parts = node.module.split(".")
            foreign = parts[1] != stage
            assert not (foreign and len(parts) > 2), f"{path.name} imports {node.module}"
            private, folder = parts[-1].startswith("_"), path.relative_to(PACKAGE).parts[:-1]
            inside = folder[: len(parts) - 2] == tuple(parts[1:-1])
            assert inside or not private, f"{path.name} imports {node.module}"
            assert node.level == 0


def test_every_stage_says_what_it_is_for():
    for path in PYTHON:
        assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), path


def test_importing_the_package_is_light():
    code = (
        "import sys, thalweg\n"
        "heavy = {'scipy', 'matplotlib', 'pyarrow', 'rich', 'torch', 'jinja2', 'click'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "thalweg.Problem.from_target([2.0, 1.0], dims=(2, 2, 2))\n"
        "rare = {'scipy.stats', 'scipy.integrate', 'matplotlib', 'pyarrow', 'rich', 'torch'}\n"
        "assert not rare & set(sys.modules), rare & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_nothing_unpickles_or_evaluates():
    for path in PYTHON:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                assert not {item.name for item in node.names} & {"pickle", "dill", "joblib"}
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec"}
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert isinstance(node.value, ast.Constant)
                assert node.value.value is False


def test_state_dicts_are_loaded_without_code_and_mapped():
    calls = [
        {item.arg: getattr(item.value, "value", None) for item in node.keywords}
        for path in PYTHON
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load"
    ]
    assert calls
    assert all(call["weights_only"] is True and call["mmap"] is True for call in calls)
