"""Sphinx extension: runs every example while the pages are built, and shows what came out."""

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples"
STUDIES = {"basins_by_depth", "plateau_times", "stable_sets"}
"""Examples that take minutes; their pages are made by running them."""
HEAD = """# Gallery

Each of these is a file in `examples/`, followed by what it printed and drew when this page was
built.
"""


def run_example(path, folder):
    """Run one example in an empty folder; return what it printed."""
    source = str(HERE.parent / "src")
    search = os.pathsep.join([source, os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, str(path)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": search},
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{path.name} failed: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout


def section(path, printed, pictures):
    """Return the part of the page on one example."""
    text = path.read_text("utf-8")
    title = (ast.get_docstring(ast.parse(text)) or path.stem).splitlines()[0].rstrip(".")
    parts = [f"## {title}", f"`examples/{path.name}`", f"```python\n{text.strip()}\n```"]
    if printed.strip():
        parts.append(f"```text\n{printed.strip()}\n```")
    parts += [f"![What {path.name} draws](gallery/{name})" for name in pictures]
    return "\n\n".join(parts)


def build(_app=None):
    """Write ``gallery.md`` and the pictures that it shows."""
    pictures_of = HERE / "gallery"
    shutil.rmtree(pictures_of, ignore_errors=True)
    pictures_of.mkdir()
    parts = [HEAD]
    for path in sorted(EXAMPLES.glob("*.py")):
        if path.stem in STUDIES:
            continue
        with tempfile.TemporaryDirectory() as folder:
            printed = run_example(path, folder)
            names = []
            for picture in sorted(Path(folder).glob("*.[ps][nv]g")):
                if picture.suffix == ".png" or not picture.with_suffix(".png").exists():
                    names.append(f"{path.stem}-{picture.name}")
                    shutil.copy(picture, pictures_of / names[-1])
        parts.append(section(path, printed, names))
    (HERE / "gallery.md").write_text("\n\n".join(parts) + "\n", "utf-8")


def setup(app):
    """Run before the sources are read."""
    app.connect("builder-inited", build)
    return {"parallel_read_safe": True}
