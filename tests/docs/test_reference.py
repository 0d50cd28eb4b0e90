"""The reference lists what can be imported, and nothing that cannot."""

import ast
import importlib
import re
from pathlib import Path

import pytest

import thalweg

ROOT = Path(__file__).parents[2]
API = ROOT / "docs" / "api"
PAGES = {path.stem: path.read_text("utf-8") for path in API.glob("*.md")}
BEHIND = {"integrate", "network", "cli"}
"""Stages whose public parts have a place on another page, or which are no Python interface."""
STAGES = sorted(
    path.parent.name
    for path in (ROOT / "src" / "thalweg").glob("*/__init__.py")
    if not path.parent.name.startswith("_") and path.parent.name not in BEHIND
)


def documented(text):
    """Return (module, name) of everything that a page asks autodoc for."""
    found, module = set(), None
    for line in text.splitlines():
        if match := re.match(r"\.\. (?:automodule|currentmodule):: (\S+)", line):
            module = match[1]
        elif match := re.match(r"   :members: (.+)", line):
            found |= {(module, name.strip()) for name in match[1].split(",")}
        elif match := re.match(r"\.\. auto(?:class|function|exception):: (\w+)", line):
            found.add((module, match[1]))
    return found


def exported(stage):
    """Return the functions and classes that the face of a stage hands out."""
    source = (ROOT / "src" / "thalweg" / stage / "__init__.py").read_text("utf-8")
    module = importlib.import_module(f"thalweg.{stage}")
    names = {
        item.asname or item.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("thalweg.")
        for item in node.names
    }
    return {name for name in names if getattr(getattr(module, name), "__module__", None)}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_documented_in_full(stage):
    if stage == "explorer":
        pytest.importorskip("starlette")
    listed = {name for module, name in documented(PAGES[stage]) if module == f"thalweg.{stage}"}
    callables = {
        name
        for name in exported(stage)
        if callable(getattr(importlib.import_module(f"thalweg.{stage}"), name))
    }
    assert listed == callables


@pytest.mark.parametrize("page", sorted(PAGES))
def test_what_is_listed_exists_and_says_what_it_does(page):
    if page == "explorer":
        pytest.importorskip("starlette")
    for module, name in documented(PAGES[page]):
        assert (getattr(importlib.import_module(module), name).__doc__ or "").strip(), name


def test_every_public_name_is_in_the_reference():
    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    listed = {name for page in PAGES.values() for _, name in documented(page)}
    for name in set(thalweg.__all__) - {"__version__"}:
        assert name in listed or f"(api/{name}.md)" in text, name


MADE = {"_build", "gallery.md"}
NAME = re.compile(r"\btw\.([a-z]\w*(?:\.[A-Za-z]\w*)*)")


@pytest.mark.parametrize(
    "path",
    [ROOT / "README.md", *(p for p in (ROOT / "docs").rglob("*.md") if not MADE & set(p.parts))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_names_on_the_pages_exist(path):
    for name in set(NAME.findall(path.read_text("utf-8"))):
        found = thalweg
        for part in name.split("."):
            assert hasattr(found, part), f"{path.name}: tw.{name}"
            found = getattr(found, part)


def test_pages_are_in_the_order_of_the_pipeline():
    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    order = re.findall(r"^api/(\w+)$", text.split("{toctree}")[1], re.M)
    assert sorted(order) == sorted(PAGES)
    table = re.findall(r"^\| \[`thalweg[.\w]*`\]\(api/(\w+)\.md\)", text, re.M)
    assert table == order
    steps = ["data", "problem", "init", "landscape", "certificate", "limit", "trajectory", "basins"]
    assert [name for name in order if name in steps] == steps


def test_every_page_is_in_a_table_of_contents():
    docs = ROOT / "docs"
    pages = {
        str(p.relative_to(docs).with_suffix(""))
        for p in docs.rglob("*.md")
        if not {"_build", "figures"} & set(p.parts)
    }
    listed = {"index"}
    for path in docs.rglob("*.md"):
        for block in re.findall(r"```\{toctree\}\n(.*?)```", path.read_text("utf-8"), re.S):
            names = [line for line in block.splitlines() if line and not line.startswith(":")]
            listed |= {str((path.parent / name).relative_to(docs)) for name in names}
    assert pages | {"gallery"} == listed | {"gallery"}
