"""Every output on the page on activations and Eq. (1) is what its lines print."""

PAGE = "docs/nonlinear.md"


def test_page_shows_what_it_prints(check_page):
    check_page(PAGE)


def test_every_block_has_its_output(page):
    blocks = page(PAGE)
    assert all(block.output for block in blocks)
    assert len(blocks) >= 8
