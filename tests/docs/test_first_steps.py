"""From the installation to the first picture: at most three steps, and they work."""

import os
import re
import shlex
import subprocess
import venv
from pathlib import Path

import pytest

from thalweg.cli._main import run

ROOT = Path(__file__).parents[2]
NO_REGISTRY = ("No matching distribution", "Could not find a version", "Connection")


def section(path):
    text = (ROOT / path).read_text("utf-8")
    return re.search(r"^## First picture\n(.*?)^(?:## |Python 3)", text, re.M | re.S)[1].strip()


def paths():
    """Return name -> steps."""
    parts = re.split(r"^(?:In|On) (?:the )?(\w+).*:$", section("README.md"), flags=re.M)[1:]
    found = dict(zip(parts[::2], parts[1::2], strict=True))
    return {name: re.split(r"^\d\. ", text, flags=re.M)[1:] for name, text in found.items()}


def python_lines():
    (code,) = re.findall(r"   ```python\n(.*?)   ```", paths()["Python"][1], re.S)
    return re.sub(r"^   ", "", code, flags=re.M)


def command(name):
    return re.match(r"`(thalweg .+?)`", paths()[name][1])[1]


def test_three_paths_of_at_most_three_steps_on_both_front_pages():
    assert section("README.md") == section("docs/index.md")
    assert {name: len(steps) for name, steps in paths().items()} == {
        "Python": 3,
        "command": 3,
        "explorer": 2,
    }
    assert all("pip install" in steps[0] for steps in paths().values())


def test_the_python_lines_draw_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(python_lines(), {})
    assert (tmp_path / "first.png").stat().st_size > 20_000


def test_the_command_draws_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(shlex.split(command("command"))[1:]) == 0
    assert "global minimum" in capsys.readouterr().out
    page = (tmp_path / "thalweg-linnerud" / "report.html").read_text("utf-8")
    assert "<svg" in page or "<img" in page


def test_the_explorer_is_told_what_to_do():
    words = shlex.split(command("explorer"))
    assert words[:2] == ["thalweg", "explore"]
    assert words[2] == "linnerud"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_in_a_fresh_environment(tmp_path):
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    pip = [programs / "python", "-m", "pip", "install", "-q", f"{ROOT}[explorer]"]
    done = subprocess.run(pip, capture_output=True, text=True, env=clean, check=False)
    if done.returncode != 0 and any(word in done.stderr for word in NO_REGISTRY):
        pytest.skip("no package registry to install from")
    assert done.returncode == 0, done.stderr
    for call in (
        [programs / "python", "-c", python_lines()],
        [programs / "thalweg", *shlex.split(command("command"))[1:]],
        [programs / "thalweg", "explore", "--help"],
    ):
        subprocess.run(call, cwd=tmp_path, env=clean, check=True, capture_output=True)
    assert (tmp_path / "first.png").is_file()
    assert (tmp_path / "thalweg-linnerud" / "report.html").is_file()
