"""Runs what a page shows and compares what it prints with what the page says it prints.

A fenced ``python`` or ``bash`` block may be followed directly by a ``text`` block: its output.
Python blocks share one namespace; every ``thalweg`` line of a shell block is run in one folder.
"""

import contextlib
import dataclasses
import io
import itertools
import re
import shlex
from pathlib import Path

import pytest

from thalweg.cli._main import run

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(python|bash)\n(.*?)^```\n(?:\n?^```text\n(.*?)^```\n)?", re.M | re.S)
NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?(?!\w)")
NOISE = 1e-9
"""Floats below this are rounding errors; their digits say nothing."""


@dataclasses.dataclass(frozen=True)
class Block:
    language: str
    code: str
    output: str | None


def read_page(path):
    """Return the blocks of a page; an output block without a command before it is an error."""
    text = (ROOT / path).read_text("utf-8")
    found = [Block(*match.groups()) for match in BLOCK.finditer(text)]
    assert found
    assert text.count("\n```text\n") == sum(block.output is not None for block in found)
    return found


def same_number(shown, printed):
    """Integers agree exactly, floats relatively to 1e-6 or to two units of a last digit.

    The latter only from six digits on, or four where both have as many: 2.5 stands for 2.50000.
    """
    if shown == printed:
        return True
    if not re.search(r"[.eE]", shown + printed):
        return False
    one, two = float(shown), float(printed)
    if max(abs(one), abs(two)) < NOISE:
        return True
    error = abs(one - two)
    mantissa, _, power = max(shown, printed, key=len).lower().partition("e")
    unit = 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))
    digits = len(re.sub(r"[-+.]", "", mantissa).lstrip("0"))
    enough = digits >= (4 if len(shown) == len(printed) else 6)
    return error <= 1e-6 * abs(one) or (enough and error <= 2.0 * unit)


def same_text(shown, printed):
    one, two = (NUMBER.split(text) for text in (shown, printed))
    numbers = zip(NUMBER.findall(shown), NUMBER.findall(printed), strict=False)
    return one == two and all(itertools.starmap(same_number, numbers))


def compare(shown, printed, varying=()):
    """Fail at the first line that differs.

    What matches ``varying`` may differ; a line ``...`` of the page stands for any lines.
    """
    for pattern in varying:
        shown, printed = (re.sub(pattern, "(varies)", text) for text in (shown, printed))
    wanted, found = (text.rstrip().splitlines() for text in (shown, printed))
    at, skipping = 0, False
    for line in wanted:
        if line == "...":
            skipping = True
            continue
        while skipping and at < len(found) and not same_text(line, found[at].rstrip()):
            at += 1
        there = found[at].rstrip() if at < len(found) else ""
        assert same_text(line, there), f"the page says\n{line}\nand what runs\n{there}"
        at, skipping = at + 1, False
    assert skipping or at >= len(found), f"the page lacks\n{found[at]}"


def run_commands(code):
    for line in code.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words:
            assert words[0] == "thalweg", line
            assert run(words[1:]) in {0, 1}


@pytest.fixture
def check_page(tmp_path, monkeypatch):
    """Run the Python blocks of a page and the shell blocks whose output it shows."""
    monkeypatch.chdir(tmp_path)

    def check(path, varying=()):
        namespace = {}
        for block in read_page(path):
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                if block.language == "python":
                    exec(compile(block.code, path, "exec"), namespace)
                elif block.output is not None:
                    run_commands(block.code)
            compare(block.output or "", printed.getvalue(), varying)

    return check


@pytest.fixture
def page():
    return read_page


@pytest.fixture
def same():
    """Tell whether two outputs agree."""

    def agree(shown, printed):
        try:
            compare(shown, printed)
        except AssertionError:
            return False
        return True

    return agree
