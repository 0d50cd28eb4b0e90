"""Every output on the page on basins is what its command prints."""

PAGE = "docs/basins.md"


def test_page_shows_what_it_prints(check_page):
    check_page(PAGE)


def test_most_commands_have_their_output(page):
    shown = [block.output for block in page(PAGE) if block.output is not None]
    assert len(shown) >= 10
