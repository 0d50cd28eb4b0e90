"""What is tracked speaks of the project alone, and says the same thing everywhere."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import thalweg

ROOT = Path(__file__).parents[1]
TEXT = {".md", ".py", ".toml", ".cff", ".hpp", ".cpp", ".j2", ".css", ".json", ".in", ""}
# Spelled in pieces, so that this file does not contain them.
FORBIDDEN = ["/" + "work/", "/" + "root/", "/home" + "/", "pypi" + "-proxy", "sub" + "agent"]


def tracked():
    done = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.splitlines()]


def test_no_paths_of_a_machine():
    for path in tracked():
        if path.suffix in TEXT and path.is_file():
            text = path.read_text("utf-8", errors="replace")
            found = [word for word in FORBIDDEN if word in text]
            assert not found, f"{path.relative_to(ROOT)}: {found}"


def test_versions_agree():
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"version: {thalweg.__version__}" in citation
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert "version" in project["dynamic"]


def test_links_in_the_documentation_lead_somewhere():
    made = {"_build", "gallery.md"}
    pages = [path for path in (ROOT / "docs").rglob("*.md") if not made & set(path.parts)]
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *pages]:
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text("utf-8")):
            assert (path.parent / target).exists(), f"{path.name} -> {target}"


def test_tasks_of_the_readme_exist():
    readme, dev = ((ROOT / name).read_text("utf-8") for name in ("README.md", "dev.py"))
    tasks = set(re.findall(r"python3 dev\.py (\w+)", readme))
    assert tasks >= {"demo", "test"}
    assert all(f'"{task}":' in dev for task in tasks)


def test_ci_runs_every_check():
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert all(f"dev.py {task}" in script for task in ("lint", "types", "test"))
