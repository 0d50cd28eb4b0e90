"""Every output on the page on optimizers is what its block prints."""

PAGE = "docs/optimizers.md"


def test_page_shows_what_it_prints(check_page):
    check_page(PAGE)


def test_every_block_that_prints_has_its_output(page):
    blocks = page(PAGE)
    assert all(block.output for block in blocks if "print" in block.code)
    assert not any("...\n" in block.output for block in blocks if block.output)
