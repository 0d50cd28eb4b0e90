"""Every output on the page on the monitor is what its lines print."""

import pytest


def test_page_shows_what_it_prints(check_page):
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        check_page("docs/monitor.md")
    finally:
        torch.set_num_threads(before)


def test_outputs_are_there(page):
    assert sum(block.output is not None for block in page("docs/monitor.md")) == 3
