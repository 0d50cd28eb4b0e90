"""Every line of the errata is run."""

from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_page_shows_what_it_prints(check_page):
    check_page("docs/errata.md")


def test_every_erratum_has_its_lines(page):
    shown = [block.output for block in page("docs/errata.md") if block.output is not None]
    sections = (ROOT / "docs" / "errata.md").read_text("utf-8").split("\n## ")[1:]
    assert len(sections) == len(shown) == 10
    assert all("```text" in section for section in sections)
