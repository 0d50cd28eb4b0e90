"""Every output in the README is what its lines print."""

import re

import pytest

from thalweg.cli._main import thalweg

# Step sizes differ between the engines, and with them where a run stops and the rate from there.
ENGINE = (r"time +\S+ in \d+ steps", r"exp\(-2 x \S+ t\) \(anytime\)")


def test_readme_shows_what_it_prints(check_page):
    pytest.importorskip("flint")
    check_page("README.md", varying=ENGINE)


def test_outputs_are_there(page):
    assert sum(block.output is not None for block in page("README.md")) >= 4


def test_commands_and_options_exist(page):
    shown = "\n".join(block.code for block in page("README.md") if block.language == "bash")
    lines = re.findall(r"^thalweg (\S+)(.*)$", shown, re.M)
    assert lines
    for name, rest in lines:
        known = {flag for item in thalweg.get_command(None, name).params for flag in item.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known, name
