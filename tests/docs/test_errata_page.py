"""Every line of the errata is run."""


def test_page_shows_what_it_prints(check_page):
    check_page("docs/errata.md")


def test_every_claim_about_linear_networks_has_its_lines(page):
    shown = [block.output for block in page("docs/errata.md") if block.output is not None]
    assert len(shown) >= 5
