"""The tutorial and the how-to pages: every output is what its lines print, every command runs."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

from thalweg.cli._main import run, thalweg

DOCS = Path(__file__).parents[2] / "docs"
FIGURE = re.compile(r"^<!-- figure: ([\w-]+\.png) \| (.+?) -->$", re.M | re.S)
NEEDS = re.compile(r"^<!-- needs: (\w+) -->$", re.M)
HOWTO = sorted(path.stem for path in (DOCS / "howto").glob("*.md") if path.stem != "index")
PAGES = ["docs/tutorial.md", *(f"docs/howto/{name}.md" for name in HOWTO)]


def text_of(path):
    return (DOCS.parent / path).read_text("utf-8")


def commands(path):
    """Return the ``thalweg`` lines of the shell blocks of a page."""
    blocks = re.findall(r"^```bash\n(.*?)^```$", text_of(path), re.M | re.S)
    return re.findall(r"^thalweg .*$", "\n".join(blocks), re.M)


@pytest.mark.parametrize("path", PAGES)
def test_page_shows_what_it_prints(path, check_page, tmp_path):
    for name in NEEDS.findall(text_of(path)):
        pytest.importorskip(name)
    check_page(path)
    for picture, words in FIGURE.findall(text_of(path)):
        assert (tmp_path / picture).stat().st_size > 2000, picture
        assert len(words) > 20, f"{picture} needs words for those who do not see it"


@pytest.mark.parametrize("path", PAGES)
def test_blocks_that_print_have_their_output(path, page):
    for block in page(path):
        if block.language == "python":
            assert (block.output is not None) == ("print(" in block.code), block.code


@pytest.mark.parametrize("path", PAGES)
def test_commands_and_options_exist(path):
    for line in commands(path):
        name = line.split()[1]
        command = thalweg.get_command(None, name)
        assert command is not None, line
        known = {flag for item in command.params for flag in item.opts}
        assert set(re.findall(r"--[a-z-]+", line)) <= known, line


def test_commands_of_the_tutorial_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    lines = commands("docs/tutorial.md")
    assert len(lines) >= 8
    for line in lines:
        if "analyze" not in line:  # below, it draws
            assert run(shlex.split(line)[1:]) in {0, 1}, line
    capsys.readouterr()


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES)
def test_all_commands_run(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for code in re.findall(r'Path\("flats.csv"\).write_text\(.*?^\)$', text_of(path), re.M | re.S):
        exec(f"from pathlib import Path\n{code}", {})
    for line in commands(path):
        assert run(shlex.split(line)[1:]) in {0, 1}, line
    capsys.readouterr()


def test_every_how_to_page_is_in_its_index():
    index = text_of("docs/howto/index.md")
    assert re.findall(r"^([\w-]+)$", index.split("```{toctree}")[1], re.M) != []
    for name in HOWTO:
        assert f"({name}.md)" in index
        assert f"\n{name}\n" in index


def load_runner():
    spec = importlib.util.spec_from_file_location("executed", DOCS / "executed.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_build_runs_these_pages_and_shows_what_they_print():
    runner = load_runner()
    assert [f"docs/{name}.md" for name in runner.pages()] == PAGES
    text = "```python\nprint(6 * 7)\n```\n```text\nold\n```\n\n```python\nx = 1\n```\n"
    printed = runner.run_blocks(text)
    assert printed == ["42", ""]
    assert runner.with_outputs(text, printed) == text.replace("old", "42")
    shortened = text.replace("old", "4\n...")
    assert runner.with_outputs(shortened, printed) == shortened


def test_a_page_that_fails_stops_the_build():
    runner = load_runner()
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        runner.execute("tutorial", "```python\n1 / 0\n```\n")
    assert not runner.can_run("<!-- needs: no_such_module -->\n")
