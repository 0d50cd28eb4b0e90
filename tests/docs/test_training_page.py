"""Every output on the page on training in PyTorch is what its block prints."""

import pytest

PAGE = "docs/training.md"
pytestmark = pytest.mark.torch


def test_page_shows_what_it_prints(check_page):
    pytest.importorskip("torch")
    pytest.importorskip("thalweg.monitor")
    check_page(PAGE)
