"""Runs the tutorial and the how-to pages: as a Sphinx extension, or to write their outputs anew.

A fenced ``python`` or ``bash`` block may be followed by a ``text`` block: its output. The blocks of
a page share one namespace and one empty folder. ``<!-- figure: NAME.png | WORDS -->`` stands for a
picture that the page has written there by then; WORDS describe it to those who do not see it.

While the pages are built, outputs and pictures are those of this build. ``python docs/executed.py``
runs all pages, or those that are named, and writes their outputs into the sources.
"""

import contextlib
import importlib.util
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PICTURES = HERE / "figures"
BLOCK = re.compile(r"^```(python|bash)\n(.*?)^```\n(?:\n?^```text\n(.*?)^```\n)?", re.M | re.S)
FIGURE = re.compile(r"^<!-- figure: ([\w-]+\.png) \| (.+?) -->$", re.M | re.S)
NEEDS = re.compile(r"^<!-- needs: (\w+) -->$", re.M)


def pages():
    """Return the names of the pages that are run."""
    return [
        "tutorial",
        *sorted(f"howto/{path.stem}" for path in HERE.glob("howto/*.md") if path.stem != "index"),
    ]


def run_blocks(text):
    """Run the blocks of a page in the present folder; return what each of them printed."""
    from thalweg.cli._main import run

    namespace = {"__name__": "__main__"}
    printed = []
    for language, code, output in BLOCK.findall(text):
        stream = io.StringIO()
        with contextlib.redirect_stdout(stream):
            if language == "python":
                exec(compile(code, "<page>", "exec"), namespace)
            elif output:
                for line in code.replace("\\\n", " ").splitlines():
                    if line.strip():
                        run(shlex.split(line, comments=True)[1:])
        lines = (line.rstrip() for line in stream.getvalue().splitlines())
        printed.append("\n".join(lines))
    return printed


def with_outputs(text, printed):
    """Return the page with what was printed; an output that leaves out lines (...) stays."""
    found = iter(printed)

    def put(match):
        now = next(found)
        shown = match.group(3)
        if shown is None or re.search(r"^\.\.\.$", shown, re.M):
            return match.group()
        return match.group().removesuffix(f"{shown}```\n") + f"{now}\n```\n"

    return BLOCK.sub(put, text)


def printed_by(name, text, folder):
    """Run a page in a process of its own, in this folder; return what each block printed."""
    search = os.pathsep.join([str(HERE.parent / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, str(Path(__file__).resolve()), "--child"],
        cwd=folder,
        input=text,
        env={**os.environ, "PYTHONPATH": search, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{name} failed: {done.stderr.strip().splitlines()[-3:]}")
    return json.loads(done.stdout)


def can_run(text):
    """Tell whether what the page says it needs is installed."""
    return all(importlib.util.find_spec(need) for need in NEEDS.findall(text))


def execute(name, text):
    """Return the page with its outputs, and its pictures in place."""
    if not can_run(text):
        return FIGURE.sub("", text)
    with tempfile.TemporaryDirectory() as folder:
        text = with_outputs(text, printed_by(name, text, folder))

        def show(match):
            picture, words = match.groups()
            kept = PICTURES / f"{name.replace('/', '-')}-{picture}"
            PICTURES.mkdir(exist_ok=True)
            shutil.copy(Path(folder) / picture, kept)
            return f"![{' '.join(words.split())}](/figures/{kept.name})"

        return FIGURE.sub(show, text)


def read(_app, docname, source):
    """Replace the source of a page that is run."""
    if docname in pages():
        source[0] = execute(docname, source[0])


def setup(app):
    """Run the pages when they are read."""
    app.connect("source-read", read)
    return {"parallel_read_safe": True}


def main():
    """Write outputs into the sources, or run one page as a child."""
    if sys.argv[1:] == ["--child"]:
        print(json.dumps(run_blocks(sys.stdin.read())))
        return
    for name in sys.argv[1:] or pages():
        path = HERE / f"{name}.md"
        text = path.read_text("utf-8")
        if can_run(text):
            with tempfile.TemporaryDirectory() as folder:
                path.write_text(with_outputs(text, printed_by(name, text, folder)), "utf-8")
        print(name if can_run(text) else f"{name}: not run, something it needs is missing")


if __name__ == "__main__":
    main()
